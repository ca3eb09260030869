using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>Running to Succeeded, together with the tracked changes of the handler.</summary>
internal static class HeavyTaskCompletion
{
    /// <summary>
    /// Saves the tracked changes and completes the task, in one transaction that is tried again where the server ended it in favour of another.
    /// The task's status, attempt and owner are concurrency tokens, so the same statement is the fence.
    /// </summary>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt; nothing was saved.</exception>
    public static async Task CompleteHeavyTaskAsync(
        this DbContext db,
        HeavyTaskFence fence,
        HeavyTaskSuccess success,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(success);
        db.HeavyTasks.Attach(HeavyTask.Owned(fence)).Entity.Succeed(success);
        var attempt = db
            .HeavyTaskAttempts.Attach(
                new HeavyTaskAttempt
                {
                    TaskId = fence.TaskId,
                    Attempt = fence.Attempt,
                    Owner = fence.Owner,
                }
            )
            .Entity;
        attempt.EndedAt = success.FinishedAt;
        attempt.Outcome = AttemptOutcome.Succeeded;
        try
        {
            // What a save could not write is still tracked as changed.
            await Deadlocks.RetryAsync(() => db.SaveChangesAsync(cancellationToken), time, cancellationToken);
        }
        catch (DbUpdateConcurrencyException exception) when (exception.Entries.Any(e => e.Entity is HeavyTask or HeavyTaskAttempt))
        {
            throw new HeavyTaskFenceException(fence);
        }
    }
}
