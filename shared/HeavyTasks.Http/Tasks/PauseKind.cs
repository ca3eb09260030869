using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class PauseKind
{
    /// <summary>
    /// Pauses a kind on all workers: until it is resumed, none begins a task of it, also after a restart. Tasks that run go on, and new ones
    /// are accepted and wait. Workers see it within about a second. To pause a paused kind changes nothing.
    /// </summary>
    /// <param name="kind">The name of the kind.</param>
    public static Task<Results<JsonOk<KindPause>, ProblemHttpResult>> HandleAsync(
        string kind,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    ) => AnswerAsync(engine.Db, kind, isPaused: true, Actor.Of(http), cancellationToken);

    /// <summary>Changes whether a kind is paused, and records it, in one transaction.</summary>
    /// <returns>Since when it is paused, or null; false when nobody has announced such a kind.</returns>
    public static async Task<(bool IsThere, DateTime? PausedAt)> SetAsync(
        DbContext db,
        string kind,
        bool isPaused,
        Actor actor,
        CancellationToken cancellationToken
    )
    {
        var name = AnnouncedKinds.IsName(kind) ? kind : "";
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var changed = await db
            .AnnouncedKinds.Where(k => k.Name == name && (k.PausedAt == null) == isPaused)
            .ExecuteUpdateAsync(
                set => set.SetProperty(k => k.PausedAt, k => isPaused ? DatabaseClock.UtcNow() : (DateTime?)null),
                cancellationToken
            );
        var found = await db
            .AnnouncedKinds.Where(k => k.Name == name)
            .Select(k => new { k.PausedAt })
            .SingleOrDefaultAsync(cancellationToken);
        if (changed > 0 || found is null)
        {
            db.Record(actor, kind, found is null ? AuditOutcome.NotFound : AuditOutcome.Done);
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return (found is not null, found?.PausedAt);
    }

    /// <summary>Changes it, and answers.</summary>
    internal static async Task<Results<JsonOk<KindPause>, ProblemHttpResult>> AnswerAsync(
        DbContext db,
        string kind,
        bool isPaused,
        Actor actor,
        CancellationToken cancellationToken
    ) =>
        await SetAsync(db, kind, isPaused, actor, cancellationToken) is (true, var pausedAt)
            ? JsonAnswer.Ok(new KindPause(kind, pausedAt))
            : TypedResults.Problem("No worker has announced such a kind.", statusCode: StatusCodes.Status404NotFound);
}

internal static class ResumeKind
{
    /// <summary>Lets workers begin tasks of a paused kind again. To resume a kind that is not paused changes nothing.</summary>
    /// <param name="kind">The name of the kind.</param>
    public static Task<Results<JsonOk<KindPause>, ProblemHttpResult>> HandleAsync(
        string kind,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    ) => PauseKind.AnswerAsync(engine.Db, kind, isPaused: false, Actor.Of(http), cancellationToken);
}

/// <summary>Whether a kind is paused.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="PausedAt">Since when it is paused (UTC); null when it is not.</param>
internal sealed record KindPause(string Kind, DateTime? PausedAt);
