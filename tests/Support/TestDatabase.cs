using System.Data.Common;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Support;

/// <summary>
/// A database for one test, with all migrations applied and otherwise empty. It is dropped at the end, even if others are still connected.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string name;

    private TestDatabase(string name)
    {
        this.name = name;
        ConnectionString = DatabaseServer.ConnectionStringOf(Servers.Database, name);
    }

    /// <summary>The value of <c>ConnectionStrings:Platform</c> for the services under test.</summary>
    public string ConnectionString { get; }

    /// <summary>Creates the database on the shared server (<see cref="Servers.Database"/>).</summary>
    public static async Task<TestDatabase> CreateAsync()
    {
        // The name is short, because MySQL's lock names contain it and have at most 64 characters.
        var database = new TestDatabase($"test_{Guid.NewGuid():N}");
        await DatabaseServer.CreateDatabaseAsync(Servers.Database, database.name);
        return database;
    }

    /// <summary>
    /// Creates a context, without outbox delivery or pool settings, to arrange and inspect data with. The caller disposes it.
    /// </summary>
    public PlatformDbContext CreateContext() => PlatformDatabase.CreateContext(ConnectionString);

    /// <summary>Opens a connection of the driver itself. The caller disposes it.</summary>
    /// <param name="pooled">False opens a new session, which ends when it is disposed.</param>
    public async Task<DbConnection> OpenAsync(bool pooled = true)
    {
        var connection = DatabaseServer.Connect(pooled ? ConnectionString : ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Runs SQL and returns the first value.</summary>
    public async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 120;
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Counts the rows of a table.</summary>
    public async Task<long> CountAsync(string table) => (long)(await ScalarAsync($"SELECT count(*) FROM {table}"))!;

    /// <summary>Drops all tables.</summary>
    public Task EmptyAsync() => DatabaseServer.EmptyDatabaseAsync(ConnectionString);

    /// <summary>Makes the database look as if no migration had been applied.</summary>
    public Task ForgetMigrationsAsync() => ScalarAsync(DatabaseServer.ForgetMigrations);

    /// <summary>Makes the database look as if a later version had migrated it.</summary>
    public Task AddUnknownMigrationAsync() => ScalarAsync(DatabaseServer.AddUnknownMigration);

    /// <summary>Ends the connections of a service from the server's side.</summary>
    public Task EndConnectionsAsync(string application) => DatabaseServer.EndConnectionsAsync(ConnectionString, application);

    /// <summary>The names of the connected services, with commas between them.</summary>
    public async Task<string?> ConnectionNamesAsync() => await ScalarAsync(DatabaseServer.ConnectionNames()) as string;

    /// <summary>
    /// A query for the number of connections of a service. With busy, it counts only those that run a statement or are in a transaction.
    /// </summary>
    public static string CountConnections(string application, bool busy) => DatabaseServer.CountConnections(application, busy);

    /// <summary>How many connections to the database wait for a lock.</summary>
    public async Task<long> LockWaitsAsync() => (long)(await ScalarAsync(DatabaseServer.CountLockWaits))!;

    /// <summary>Drops the database, even if others are still connected.</summary>
    public async Task DropAsync()
    {
        DatabaseServer.ClearPool(ConnectionString);
        await DatabaseServer.DropDatabaseAsync(Servers.Database, name);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await DropAsync();
}
