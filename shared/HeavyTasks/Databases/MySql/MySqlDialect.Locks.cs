using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    // A lock's name has at most 64 characters; the id takes 32 of them and the colon one.
    private const int MaxScopeLength = 31;
    private const int HashLength = 16;

    private const MySqlErrorCode AccessDenied = MySqlErrorCode.SpecifiedAccessDeniedError;
    private const MySqlErrorCode TableAccessDenied = MySqlErrorCode.TableAccessDenied;
    private const MySqlErrorCode KillDenied = MySqlErrorCode.KillDenied;
    private const MySqlErrorCode NoSuchThread = MySqlErrorCode.NoSuchThread;

    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(2);

    // A long limit, because MariaDB does not accept a negative number for "no limit".
    private static readonly TimeSpan LongestMigration = TimeSpan.FromDays(3);

    public DbConnection CreateUnpooledConnection(string connectionString, string? applicationName, TimeSpan? timeout)
    {
        var builder = new MySqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            DefaultCommandTimeout = (uint)(timeout?.TotalSeconds ?? 0),
        };
        builder.ApplicationName = applicationName ?? builder.ApplicationName;
        builder.ConnectionTimeout = (uint)(timeout?.TotalSeconds ?? builder.ConnectionTimeout);
        return new MySqlConnection(builder.ConnectionString);
    }

    public Task<bool> TryLockAsync(DbConnection connection, Guid instance, CancellationToken cancellationToken) =>
        AcquireAsync((MySqlConnection)connection, instance.ToString("N"), TimeSpan.Zero, cancellationToken);

    public async Task<bool> HoldsLockAsync(DbConnection connection, Guid instance, CancellationToken cancellationToken)
    {
        var open = (MySqlConnection)connection;
        await using var command = new MySqlCommand(SessionLockStatements.MySql.IsMine, open);
        command.Parameters.AddWithValue("@name", LockName(open.Database, instance.ToString("N")));
        return await command.ExecuteScalarAsync(cancellationToken) is 1L or 1;
    }

    // InnoDB does not tell who has locked a row that nobody waits for. So one connection waits for a task, and the other asks for whom.
    public async Task<int> EndSessionsThatLockAsync(DbContext db, DbContext other, Guid owner, CancellationToken cancellationToken)
    {
        var id = await db
            .HeavyTasks.Where(t => t.Owner == owner && t.Status == HeavyTaskStatus.Running)
            .OrderBy(t => t.Id)
            .Select(t => (Guid?)t.Id)
            .FirstOrDefaultAsync(cancellationToken);
        if (id is null)
        {
            return 0;
        }

        await db.Database.OpenConnectionAsync(cancellationToken);
        await other.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            var (asking, waiting) = ((MySqlConnection)db.Database.GetDbConnection(), (MySqlConnection)other.Database.GetDbConnection());
            await using var wait = new MySqlCommand(LockStatements.WaitForOneOnMySql(EngineTables.Of(db), LockWait), waiting);
            wait.Parameters.Add(new MySqlParameter("@id", id.Value));
            var waited = wait.ExecuteNonQueryAsync(CancellationToken.None);
            await Task.WhenAny(waited, Task.Delay(LockWait / 4, TimeProvider.System, CancellationToken.None));
            var ended = waited.IsCompleted ? 0 : await EndBlockersAsync(asking, waiting.ServerThread, cancellationToken);
            await ((Task)waited).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await using var restore = new MySqlCommand(LockStatements.RestoreWaitOnMySql, waiting);
            await restore.ExecuteNonQueryAsync(CancellationToken.None);
            return ended;
        }
        finally
        {
            await other.Database.CloseConnectionAsync();
            await db.Database.CloseConnectionAsync();
        }
    }

    private static async Task<int> EndBlockersAsync(MySqlConnection connection, int waiting, CancellationToken cancellationToken)
    {
        var ended = 0;
        try
        {
            var isMariaDb = connection.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase);
            var blockers = new List<long>();
            await using (
                var find = new MySqlCommand(isMariaDb ? LockStatements.BlockersOnMariaDb : LockStatements.BlockersOnMySql, connection)
            )
            {
                find.Parameters.Add(new MySqlParameter("@waiting", waiting));
                await using var reader = await find.ExecuteReaderAsync(cancellationToken);
                while (await reader.ReadAsync(cancellationToken))
                {
                    blockers.Add(reader.GetInt64(0));
                }
            }

            foreach (var blocker in blockers)
            {
                await using var end = new MySqlCommand($"KILL {blocker}", connection);
                await end.ExecuteNonQueryAsync(cancellationToken);
                ended++;
            }
        }
        catch (MySqlException exception) when (exception.ErrorCode is AccessDenied or TableAccessDenied or KillDenied or NoSuchThread)
        {
            // What this user may not see or end stays as it is.
        }

        return ended;
    }

    public async Task LockMigrationsAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        if (!await AcquireAsync((MySqlConnection)connection, "migrations", LongestMigration, cancellationToken))
        {
            throw new TimeoutException($"Another process has been migrating the database for {LongestMigration.TotalDays} days.");
        }
    }

    public async Task<HashSet<Guid>> FindUnlockedAsync(
        DbContext db,
        IReadOnlyCollection<Guid> instances,
        CancellationToken cancellationToken
    )
    {
        if (instances.Count == 0)
        {
            return [];
        }

        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            var open = (MySqlConnection)db.Database.GetDbConnection();
            var ids = instances.ToArray();
            await using var command = new MySqlCommand(SessionLockStatements.MySql.AreFree(ids.Length), open);
            foreach (var id in ids)
            {
                command.Parameters.Add(new MySqlParameter { Value = LockName(open.Database, id.ToString("N")) });
            }

            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return [.. ids.Where((_, index) => !reader.IsDBNull(index) && reader.GetInt64(index) == 1)];
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    // Locks belong to the server, not to the database, so the name contains the database. A name that would be too long ends in its hash.
    internal static string LockName(string database, string holder)
    {
        var scope =
            database.Length <= MaxScopeLength
                ? database
                : database[..(MaxScopeLength - HashLength - 1)]
                    + '~'
                    + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)))[..HashLength];
        return $"{scope}:{holder}";
    }

    private static async Task<bool> AcquireAsync(
        MySqlConnection connection,
        string holder,
        TimeSpan patience,
        CancellationToken cancellationToken
    )
    {
        await using var command = new MySqlCommand(SessionLockStatements.MySql.Acquire, connection);
        command.Parameters.AddWithValue("@name", LockName(connection.Database, holder));
        command.Parameters.AddWithValue("@seconds", (int)patience.TotalSeconds);
        return await command.ExecuteScalarAsync(cancellationToken) is 1L or 1;
    }
}
