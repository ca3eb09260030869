using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.HeavyTasks;

/// <summary>Queued to Running, with the record of the attempt, in one transaction and two round trips.</summary>
internal static class HeavyTaskClaim
{
    // By the primary key: left to itself, the server may read a small table whole, or by status, and lock rows that are none of the claim's.
    // Skips what is locked: several claims must not wait for somebody who holds one of them, nor for each other.
    private static string LockSeveral(string ids) =>
        $"""
            START TRANSACTION;
            SELECT id FROM heavy_tasks FORCE INDEX (PRIMARY) WHERE id IN ({ids}) AND status = '{nameof(
                HeavyTaskStatus.Queued
            )}' FOR UPDATE SKIP LOCKED
            """;

    private static string LockOne(string ids) =>
        $"START TRANSACTION; SELECT id FROM heavy_tasks FORCE INDEX (PRIMARY) WHERE id IN ({ids}) AND status = '{nameof(HeavyTaskStatus.Queued)}' FOR UPDATE";

    private static string Claim(string ids) =>
        $"""
            UPDATE heavy_tasks FORCE INDEX (PRIMARY)
            SET status = '{nameof(
                HeavyTaskStatus.Running
            )}', owner = @owner, attempt = attempt + 1, started_at = {DatabaseProvider.Now}, due_at = NULL
            WHERE id IN ({ids});
            INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at)
            SELECT id, attempt, @owner, @worker, started_at FROM heavy_tasks WHERE id IN ({ids});
            SELECT id, kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at
            FROM heavy_tasks WHERE id IN ({ids});
            COMMIT
            """;

    /// <summary>Claims a task for an owner. Null when it is not queued (any more): the message that led here is a duplicate, or late.</summary>
    public static async Task<ClaimedHeavyTask?> ClaimHeavyTaskAsync(
        this DbContext db,
        Guid taskId,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        var claimed = await ClaimAsync(db, LockOne, [taskId], owner, worker, cancellationToken);
        return claimed is [var task] ? task : null;
    }

    /// <summary>Claims those of the tasks that are queued and that nobody has locked at this moment.</summary>
    public static Task<List<ClaimedHeavyTask>> ClaimHeavyTasksAsync(
        this DbContext db,
        Guid[] taskIds,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    ) => ClaimAsync(db, LockSeveral, taskIds, owner, worker, cancellationToken);

    private static async Task<List<ClaimedHeavyTask>> ClaimAsync(
        DbContext db,
        Func<string, string> statement,
        Guid[] taskIds,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(db);

        // On the context's connection but not by way of its query pipeline, which takes longer than the server: every task comes by here.
        await db.Database.OpenConnectionAsync(cancellationToken);
        var connection = (MySqlConnection)db.Database.GetDbConnection();
        try
        {
            var queued = await LockAsync(connection, statement, taskIds, cancellationToken);
            if (queued.Count == 0)
            {
                await RollbackAsync(connection);
                return [];
            }

            return await ClaimAsync(connection, queued, owner, worker, cancellationToken);
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

    private static async Task<List<Guid>> LockAsync(
        MySqlConnection connection,
        Func<string, string> statement,
        IReadOnlyList<Guid> taskIds,
        CancellationToken cancellationToken
    )
    {
        await using var command = new MySqlCommand();
        command.Connection = connection;
        command.CommandText = statement(AddIds(command, taskIds));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var queued = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken))
        {
            queued.Add(reader.GetGuid(0));
        }

        return queued;
    }

    private static async Task<List<ClaimedHeavyTask>> ClaimAsync(
        MySqlConnection connection,
        IReadOnlyList<Guid> queued,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        await using var command = new MySqlCommand { Parameters = { new("@owner", owner), new("@worker", worker) } };
        command.Connection = connection;
        command.CommandText = Claim(AddIds(command, queued));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var claimed = new List<ClaimedHeavyTask>();
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(Read(reader));
        }

        // The answer to the commit comes after the rows.
        await reader.NextResultAsync(cancellationToken);
        return claimed;
    }

    private static string AddIds(MySqlCommand command, IReadOnlyList<Guid> taskIds)
    {
        for (var i = 0; i < taskIds.Count; i++)
        {
            command.Parameters.AddWithValue($"@id{i}", taskIds[i]);
        }

        return string.Join(", ", Enumerable.Range(0, taskIds.Count).Select(i => $"@id{i}"));
    }

    private static async Task RollbackAsync(MySqlConnection connection)
    {
        await using var rollback = new MySqlCommand("ROLLBACK", connection);
        await rollback.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private static ClaimedHeavyTask Read(MySqlDataReader reader) =>
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
