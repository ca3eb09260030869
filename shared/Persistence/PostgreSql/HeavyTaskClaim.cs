using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.Persistence;

/// <summary>Queued to Running, with the record of the attempt, in one statement and so in one transaction and one round trip.</summary>
public static class HeavyTaskClaim
{
    private const string Statement =
        """
        WITH claimed AS (
            UPDATE heavy_tasks
            SET status = 'Running', owner = $2, attempt = attempt + 1, started_at = statement_timestamp(), due_at = NULL
            WHERE id = $1 AND status = 'Queued'
            RETURNING id, kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at),
        recorded AS (
            INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at)
            SELECT id, attempt, $2, $3, started_at FROM claimed)
        SELECT kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at FROM claimed
        """;

    /// <summary>Claims a task for an owner. Null when it is not queued (any more): the message that led here is a duplicate, or late.</summary>
    public static async Task<ClaimedHeavyTask?> ClaimHeavyTaskAsync(
        this PlatformDbContext db, Guid taskId, Guid owner, string worker, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);

        // On the context's connection but not by way of its query pipeline, which takes longer than the server: every task comes by here.
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(Statement, (NpgsqlConnection)db.Database.GetDbConnection())
            {
                Parameters = { new() { Value = taskId }, new() { Value = owner }, new() { Value = worker } },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? Read(taskId, reader) : null;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static ClaimedHeavyTask Read(Guid taskId, NpgsqlDataReader reader) => new()
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
