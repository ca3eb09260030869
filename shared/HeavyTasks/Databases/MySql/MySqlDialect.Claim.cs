using System.Data;
using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    public async Task<ClaimedHeavyTask?> ClaimAsync(
        DbContext db,
        Guid taskId,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        var claimed = await ClaimAsync(db, ClaimStatements.MySql.LockOne, [taskId], owner, worker, cancellationToken);
        return claimed is [var task] ? task : null;
    }

    public Task<List<ClaimedHeavyTask>> ClaimAsync(
        DbContext db,
        Guid[] taskIds,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    ) => ClaimAsync(db, ClaimStatements.MySql.LockSeveral, taskIds, owner, worker, cancellationToken);

    private static async Task<List<ClaimedHeavyTask>> ClaimAsync(
        DbContext db,
        Func<EngineTables, string, string> lockStatement,
        Guid[] taskIds,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        var tables = EngineTables.Of(db);

        // Every task is claimed here, so this uses the context's connection without its query pipeline, which takes longer than the server.
        await db.Database.OpenConnectionAsync(cancellationToken);
        var connection = (MySqlConnection)db.Database.GetDbConnection();
        try
        {
            var queued = await LockAsync(connection, ids => lockStatement(tables, ids), taskIds, cancellationToken);
            if (queued.Count == 0)
            {
                await RollbackAsync(connection);
                return [];
            }

            return await ClaimLockedAsync(connection, tables, queued, owner, worker, cancellationToken);
        }
        catch (MySqlException) when (connection.State == ConnectionState.Open)
        {
            // Only this session can end the transaction; otherwise it would stay open until the next user of the connection.
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

    private static async Task<List<ClaimedHeavyTask>> ClaimLockedAsync(
        MySqlConnection connection,
        EngineTables tables,
        IReadOnlyList<Guid> queued,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        await using var command = new MySqlCommand { Parameters = { new("@owner", owner), new("@worker", worker) } };
        command.Connection = connection;
        command.CommandText = ClaimStatements.MySql.ClaimLocked(tables, AddIds(command, queued));
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var claimed = new List<ClaimedHeavyTask>();
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(ClaimedHeavyTask.Read(reader));
        }

        // The answer to the COMMIT comes after the rows.
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
}
