using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// What clients do to tasks that are there, wherever they ask for it: each reaches the tasks of its tenant only, and the entry that says who
/// did what is part of the same transaction. The caller begins the transaction, saves, and commits.
/// </summary>
internal static class TaskActions
{
    /// <summary>Cancels a task.</summary>
    public static async Task<CancelOutcome> CancelAsync(
        this IServiceProvider scope,
        Guid id,
        Actor actor,
        CancellationToken cancellationToken
    )
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var wasRequested = await db
            .HeavyTasks.Of(actor.TenantId)
            .Where(t => t.Id == id)
            .Select(t => (bool?)t.CancelRequested)
            .SingleOrDefaultAsync(cancellationToken);
        var outcome = wasRequested is not null
            ? await scope.GetRequiredService<IHeavyTasks>().CancelAsync(id, cancellationToken)
            : CancelOutcome.NotFound;
        if (!(outcome == CancelOutcome.Requested && wasRequested == true))
        {
            db.Record(
                actor,
                $"{id}",
                outcome switch
                {
                    CancelOutcome.NotFound => AuditOutcome.NotFound,
                    CancelOutcome.Cancelled or CancelOutcome.Requested => AuditOutcome.Done,
                    _ => AuditOutcome.Conflict,
                }
            );
        }

        return outcome;
    }

    /// <summary>Runs a Failed or Cancelled task again.</summary>
    /// <returns>Whether it runs again; null when there is no such task.</returns>
    public static async Task<bool?> RetryAsync(this IServiceProvider scope, Guid id, Actor actor, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        bool? retried = await db.HeavyTasks.Of(actor.TenantId).AnyAsync(t => t.Id == id, cancellationToken)
            ? await scope.GetRequiredService<IHeavyTasks>().RetryAsync(id, cancellationToken)
            : null;
        db.Record(
            actor,
            $"{id}",
            retried switch
            {
                null => AuditOutcome.NotFound,
                true => AuditOutcome.Done,
                false => AuditOutcome.Conflict,
            }
        );
        return retried;
    }

    /// <summary>Deletes a finished task.</summary>
    /// <returns>Whether it is deleted; null when there is no such task.</returns>
    public static async Task<bool?> DeleteAsync(this IServiceProvider scope, Guid id, Actor actor, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var mine = db.HeavyTasks.Of(actor.TenantId);
        bool? deleted = await db.DeleteTasksAsync(mine, [id], cancellationToken) == 1 ? true : null;
        if (deleted is null && await mine.AnyAsync(t => t.Id == id, cancellationToken))
        {
            deleted = false;
        }

        db.Record(
            actor,
            $"{id}",
            deleted switch
            {
                null => AuditOutcome.NotFound,
                true => AuditOutcome.Done,
                false => AuditOutcome.Conflict,
            }
        );
        return deleted;
    }
}
