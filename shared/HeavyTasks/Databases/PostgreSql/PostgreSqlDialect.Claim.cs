using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.HeavyTasks;

internal sealed partial class PostgreSqlDialect
{
    public async Task<ClaimedHeavyTask?> ClaimAsync(
        DbContext db,
        Guid taskId,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        var statement = ClaimStatements.PostgreSql.One(EngineTables.Of(db));
        var claimed = await ClaimAsync(db, statement, new() { Value = taskId }, owner, worker, cancellationToken);
        return claimed is [var task] ? task : null;
    }

    public Task<List<ClaimedHeavyTask>> ClaimAsync(
        DbContext db,
        Guid[] taskIds,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        var statement = ClaimStatements.PostgreSql.Several(EngineTables.Of(db));
        return ClaimAsync(db, statement, new() { Value = taskIds }, owner, worker, cancellationToken);
    }

    private static async Task<List<ClaimedHeavyTask>> ClaimAsync(
        DbContext db,
        string statement,
        NpgsqlParameter which,
        Guid owner,
        string worker,
        CancellationToken cancellationToken
    )
    {
        // Every task is claimed here, so this uses the context's connection without its query pipeline, which takes longer than the server.
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
                claimed.Add(ClaimedHeavyTask.Read(reader));
            }

            return claimed;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }
}
