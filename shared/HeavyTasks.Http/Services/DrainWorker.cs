using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class DrainWorker
{
    /// <summary>
    /// Drains one worker: within about a second it begins no more tasks, and the others take them. What it runs goes on. That lasts until
    /// it is resumed or its process ends. To drain a worker that drains changes nothing.
    /// </summary>
    /// <param name="id">The id of the instance, as <c>GET /services</c> lists it.</param>
    public static Task<Results<JsonOk<WorkerDrain>, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    ) => AnswerAsync(engine.Db, id, isDrained: true, Actor.Of(http), cancellationToken);

    /// <summary>Changes whether a worker drains, and records it, in one transaction.</summary>
    /// <returns>Since when it drains, or null; false when there is no such worker.</returns>
    public static async Task<(bool IsThere, DateTime? DrainedAt)> SetAsync(
        DbContext db,
        Guid id,
        bool isDrained,
        Actor actor,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var workers = db.Instances.Where(i => i.Id == id && i.Slots > 0 && i.LeaseUntil > DatabaseClock.UtcNow());
        var changed = await workers
            .Where(i => (i.DrainedAt == null) == isDrained)
            .ExecuteUpdateAsync(
                set => set.SetProperty(i => i.DrainedAt, i => isDrained ? DatabaseClock.UtcNow() : (DateTime?)null),
                cancellationToken
            );
        var found = await workers.Select(i => new { i.DrainedAt }).SingleOrDefaultAsync(cancellationToken);
        if (changed > 0 || found is null)
        {
            db.Record(actor, $"{id}", found is null ? AuditOutcome.NotFound : AuditOutcome.Done);
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return (found is not null, found?.DrainedAt);
    }

    /// <summary>Changes it, and answers.</summary>
    internal static async Task<Results<JsonOk<WorkerDrain>, ProblemHttpResult>> AnswerAsync(
        DbContext db,
        Guid id,
        bool isDrained,
        Actor actor,
        CancellationToken cancellationToken
    ) =>
        await SetAsync(db, id, isDrained, actor, cancellationToken) is (true, var drainedAt)
            ? JsonAnswer.Ok(new WorkerDrain(id, drainedAt))
            : TypedResults.Problem("There is no such worker.", statusCode: StatusCodes.Status404NotFound);
}

internal static class ResumeWorker
{
    /// <summary>
    /// Lets a worker that drains begin tasks again. It reads a kind's queue again when the tasks of it that it still runs have ended.
    /// </summary>
    /// <param name="id">The id of the instance.</param>
    public static Task<Results<JsonOk<WorkerDrain>, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    ) => DrainWorker.AnswerAsync(engine.Db, id, isDrained: false, Actor.Of(http), cancellationToken);
}

/// <summary>Whether a worker drains.</summary>
/// <param name="Id">The id of the instance.</param>
/// <param name="DrainedAt">Since when it drains (UTC); null when it does not.</param>
internal sealed record WorkerDrain(Guid Id, DateTime? DrainedAt);
