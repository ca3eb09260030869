using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.HeavyTasks;

/// <summary>Running to Succeeded, together with the tracked changes of the handler.</summary>
internal static class HeavyTaskCompletion
{
    // Error ER_DATA_OUT_OF_RANGE, whatever the SQL mode.
    private const MySqlErrorCode OutOfRange = (MySqlErrorCode)1690;

    // The second statement adds one to the largest number where the first changed no row: the server stops at that error, and nothing behind
    // it is executed. (DO would not stop: it forgets its errors.)
    private const string Complete = $"""
        UPDATE heavy_tasks FORCE INDEX (PRIMARY)
        SET status = '{nameof(
            HeavyTaskStatus.Succeeded
        )}', owner = NULL, finished_at = @finished, result = @result, result_file_id = @result_file,
            progress_done = @done, progress_total = @total, progress_text = @text
        WHERE id = @task AND status = '{nameof(HeavyTaskStatus.Running)}' AND attempt = @attempt AND owner = @owner;
        SET @platform_fence = 9223372036854775807 + (ROW_COUNT() <> 1);
        UPDATE heavy_task_attempts SET ended_at = @finished, outcome = '{nameof(
            AttemptOutcome.Succeeded
        )}' WHERE task_id = @task AND attempt = @attempt;
        """;

    /// <summary>
    /// Saves the tracked changes and completes the task, in one transaction that is tried again where the server ended it in favour of another.
    /// The task's row comes first: whoever takes the task over comes before or after, not between.
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
        var executor = OneBatchExecutor.Of(db);
        executor.First = new FirstStatement(
            Complete,
            [
                ("@finished", success.FinishedAt),
                ("@result", success.Result),
                ("@result_file", success.ResultFileId),
                ("@done", success.Done),
                ("@total", success.Total),
                ("@text", success.Text),
                ("@task", fence.TaskId),
                ("@attempt", fence.Attempt),
                ("@owner", fence.Owner),
            ]
        );
        try
        {
            // What a save could not write is still tracked as changed.
            await Deadlocks.RetryAsync(() => db.SaveChangesAsync(cancellationToken), time, cancellationToken);
        }
        catch (Exception exception) when (IsStopped(exception))
        {
            // A statement of the handler's may end in the same error.
            if (await db.HeavyTasks.Owned(fence).AnyAsync(cancellationToken))
            {
                throw;
            }

            throw new HeavyTaskFenceException(fence);
        }
        finally
        {
            executor.First = null;
        }
    }

    private static bool IsStopped(Exception exception) =>
        (exception as MySqlException ?? exception.InnerException) is MySqlException { ErrorCode: OutOfRange };
}
