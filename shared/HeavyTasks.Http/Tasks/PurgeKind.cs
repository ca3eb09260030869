using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class PurgeKind
{
    /// <summary>The most tasks that one request cancels.</summary>
    public const int MaxTasks = 10_000;

    /// <summary>How many tasks are cancelled in one transaction.</summary>
    public const int BatchSize = 500;

    /// <summary>
    /// Cancels the tasks of a kind that wait: those that were submitted before this request, at most 10,000. What runs goes on. Where there are more,
    /// <c>hasMore</c> is true: ask again.
    /// </summary>
    /// <param name="kind">The name of the kind.</param>
    public static async Task<Results<JsonOk<PurgedKind>, ProblemHttpResult>> HandleAsync(
        string kind,
        HttpContext http,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        if (!AnnouncedKinds.IsName(kind))
        {
            return TypedResults.Problem("No worker has announced such a kind.", statusCode: StatusCodes.Status404NotFound);
        }

        var before = HeavyTask.FirstIdAt(time.GetUtcNow().UtcDateTime.AddMilliseconds(1));
        var total = 0;
        while (total < MaxTasks)
        {
            var cancelled = await CancelBatchAsync(scopes, kind, before, Actor.Of(http), time, cancellationToken);
            total += cancelled;
            if (cancelled < BatchSize)
            {
                return JsonAnswer.Ok(new PurgedKind(kind, total, false));
            }
        }

        return JsonAnswer.Ok(new PurgedKind(kind, total, true));
    }

    /// <summary>Cancels some of the tasks that wait, and records it, in one transaction.</summary>
    public static Task<int> CancelBatchAsync(
        IServiceScopeFactory scopes,
        string kind,
        Guid before,
        Actor actor,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        Deadlocks.RetryAsync(
            scopes,
            async scope =>
            {
                var db = scope.GetRequiredService<EngineContext>().Db;
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                var cancelled = await scope
                    .GetRequiredService<TaskLifecycle>()
                    .CancelWaitingAsync(kind, before, BatchSize, cancellationToken);
                if (cancelled > 0)
                {
                    db.Record(actor, kind, AuditOutcome.Done);
                    await db.SaveChangesAsync(cancellationToken);
                }

                await transaction.CommitAsync(CancellationToken.None);
                return cancelled;
            },
            time,
            cancellationToken
        );
}

/// <summary>What was cancelled.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Cancelled">How many tasks were cancelled.</param>
/// <param name="HasMore">Whether more of them may wait.</param>
internal sealed record PurgedKind(string Kind, int Cancelled, bool HasMore);
