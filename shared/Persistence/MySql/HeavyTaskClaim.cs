using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.Persistence;

/// <summary>Queued to Running, with the record of the attempt, in one transaction and two round trips.</summary>
public static class HeavyTaskClaim
{
    private const string Claim =
        """
        START TRANSACTION;
        UPDATE heavy_tasks
        SET status = 'Running', owner = @owner, attempt = attempt + 1, started_at = UTC_TIMESTAMP(6), due_at = NULL
        WHERE id = @id AND status = 'Queued'
        """;

    private const string Record =
        """
        INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at)
        SELECT id, attempt, @owner, @worker, started_at FROM heavy_tasks WHERE id = @id;
        SELECT kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at FROM heavy_tasks WHERE id = @id;
        COMMIT
        """;

    /// <summary>Claims a task for an owner. Null when it is not queued (any more): the message that led here is a duplicate, or late.</summary>
    public static async Task<ClaimedHeavyTask?> ClaimHeavyTaskAsync(
        this PlatformDbContext db, Guid taskId, Guid owner, string worker, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);

        // On the context's connection but not by way of its query pipeline, which takes longer than the server: every task comes by here.
        await db.Database.OpenConnectionAsync(cancellationToken);
        var connection = (MySqlConnection)db.Database.GetDbConnection();
        try
        {
            await using var claim = new MySqlCommand(Claim, connection) { Parameters = { new("@id", taskId), new("@owner", owner) } };
            ClaimedHeavyTask? claimed = null;
            if (await claim.ExecuteNonQueryAsync(cancellationToken) == 1)
            {
                claimed = await RecordAsync(connection, taskId, owner, worker, cancellationToken);
            }
            else
            {
                await RollbackAsync(connection);
            }

            return claimed;
        }
        catch (MySqlException) when (connection.State == System.Data.ConnectionState.Open)
        {
            // The transaction is the session's alone: nobody else would end it before the next user of the connection.
            await RollbackAsync(connection);
            throw;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static async Task<ClaimedHeavyTask?> RecordAsync(
        MySqlConnection connection, Guid taskId, Guid owner, string worker, CancellationToken cancellationToken)
    {
        await using var record = new MySqlCommand(Record, connection)
        {
            Parameters = { new("@id", taskId), new("@owner", owner), new("@worker", worker) },
        };
        await using var reader = await record.ExecuteReaderAsync(cancellationToken);
        var claimed = await reader.ReadAsync(cancellationToken) ? Read(taskId, reader) : null;

        // The answer to the commit comes after the row.
        await reader.NextResultAsync(cancellationToken);
        return claimed;
    }

    private static async Task RollbackAsync(MySqlConnection connection)
    {
        await using var rollback = new MySqlCommand("ROLLBACK", connection);
        await rollback.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private static ClaimedHeavyTask Read(Guid taskId, MySqlDataReader reader) => new()
    {
        Id = taskId,
        Kind = reader.GetString(0),
        Parameters = reader.GetString(1),
        Attempt = reader.GetInt32(2),
        Failures = reader.GetInt32(3),
        MaxAttempts = reader.GetInt32(4),
        Checkpoint = reader.IsDBNull(5) ? null : reader.GetString(5),
        ProgressDone = reader.GetInt64(6),
        QueuedAt = reader.IsDBNull(7) ? null : reader.GetDateTime(7),
        StartedAt = reader.GetDateTime(8),
    };
}
