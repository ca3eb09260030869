using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.HeavyTasks;

/// <summary>Queued to Running, with the record of the attempt, in one statement and so in one transaction and one round trip.</summary>
internal static class HeavyTaskClaim
{
    private const string Update = $"""
        WITH claimed AS (
            UPDATE heavy_tasks
            SET status = '{nameof(
            HeavyTaskStatus.Running
        )}', owner = $2, attempt = attempt + 1, started_at = {DatabaseProvider.Now}, due_at = NULL
            WHERE
        """;

    private const string Record = """
            RETURNING id, kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at),
        recorded AS (
            INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at)
            SELECT id, attempt, $2, $3, started_at FROM claimed)
        SELECT id, kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at FROM claimed
        """;

    private const string One = $"{Update} id = $1 AND status = '{nameof(HeavyTaskStatus.Queued)}' {Record}";

    // Skips what is locked: several claims must not wait for somebody who holds one of them, nor for each other.
    private const string Several =
        $"{Update} id IN (SELECT id FROM heavy_tasks WHERE id = ANY ($1) AND status = '{nameof(HeavyTaskStatus.Queued)}' FOR UPDATE SKIP LOCKED) {Record}";

    /// <summary>Claims a task for an owner. Null when it is not queued (any more): the message that led here is a duplicate, or late.</summary>
    public static async Task<ClaimedHeavyTask?> ClaimHeavyTaskAsync(
        this DbContext db,
        Guid taskId,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        var claimed = await ClaimAsync(db, One, new() { Value = taskId }, owner, worker, cancellationToken);
        return claimed is [var task] ? task : null;
    }

    /// <summary>Claims those of the tasks that are queued and that nobody has locked at this moment.</summary>
    public static Task<List<ClaimedHeavyTask>> ClaimHeavyTasksAsync(
        this DbContext db,
        Guid[] taskIds,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    ) => ClaimAsync(db, Several, new() { Value = taskIds }, owner, worker, cancellationToken);

    private static async Task<List<ClaimedHeavyTask>> ClaimAsync(
        DbContext db,
        string statement,
        NpgsqlParameter which,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(db);

        // On the context's connection but not by way of its query pipeline, which takes longer than the server: every task comes by here.
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(statement, (NpgsqlConnection)db.Database.GetDbConnection())
            {
                Parameters =
                {
                    which,
                    new() { Value = owner },
                    new() { Value = worker },
                },
            };
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var claimed = new List<ClaimedHeavyTask>();
            while (await reader.ReadAsync(cancellationToken))
            {
                claimed.Add(Read(reader));
            }

            return claimed;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static ClaimedHeavyTask Read(NpgsqlDataReader reader) =>
        new()
        {
            Id = reader.GetGuid(0),
            Kind = reader.GetString(1),
            Parameters = reader.GetString(2),
            Attempt = reader.GetInt32(3),
            Failures = reader.GetInt32(4),
            MaxAttempts = reader.GetInt32(5),
            Checkpoint = reader.IsDBNull(6) ? null : reader.GetString(6),
            ProgressDone = reader.GetInt64(7),
            QueuedAt = reader.IsDBNull(8) ? null : reader.GetDateTime(8),
            StartedAt = reader.GetDateTime(9),
        };
}
