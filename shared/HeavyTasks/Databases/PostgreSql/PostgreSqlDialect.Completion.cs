using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

internal sealed partial class PostgreSqlDialect
{
    // The task's status, attempt and owner are concurrency tokens, so the update itself checks the fence.
    public async Task CompleteAsync(
        DbContext db,
        HeavyTaskFence fence,
        HeavyTaskSuccess success,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
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
            // Changes that a failed save could not write are still tracked, so the save can run again.
            await Deadlocks.RetryAsync(() => db.SaveChangesAsync(cancellationToken), time, cancellationToken);
        }
        catch (DbUpdateConcurrencyException exception) when (exception.Entries.Any(e => e.Entity is HeavyTask or HeavyTaskAttempt))
        {
            throw new HeavyTaskFenceException(fence);
        }
    }
}
