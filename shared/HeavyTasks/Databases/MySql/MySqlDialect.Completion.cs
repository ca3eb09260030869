using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    // The error ER_DATA_OUT_OF_RANGE, which the server raises in every SQL mode.
    private const MySqlErrorCode OutOfRange = (MySqlErrorCode)1690;

    // The task's row is locked first, so a takeover happens before or after this transaction, not during it.
    public async Task CompleteAsync(
        DbContext db,
        HeavyTaskFence fence,
        HeavyTaskSuccess success,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var executor = OneBatchExecutor.Of(db);
        executor.First = new FirstStatement(
            CompletionStatements.MySql(EngineTables.Of(db)),
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
            // Changes that a failed save could not write are still tracked, so the save can run again.
            await Deadlocks.RetryAsync(() => db.SaveChangesAsync(cancellationToken), time, cancellationToken);
        }
        catch (Exception exception) when (IsStopped(exception))
        {
            // A statement of the handler may also have caused this error.
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
