using Npgsql;

namespace Platform.Runner.Pools;

/// <summary>
/// The measurement's own connections to the installation's database, with its users and the table that the heavy work writes to.
/// </summary>
internal sealed class PoolDatabase : IAsyncDisposable
{
    private const int Users = 10_000;

    private PoolDatabase(string connectionString) =>
        Connections = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = Activity.OwnName, MaxPoolSize = 4 }
        );

    public NpgsqlDataSource Connections { get; }

    public static async Task<PoolDatabase> CreateAsync(Installation installation)
    {
        var database = new PoolDatabase(installation.Platform.Database.ConnectionString);
        await database.ExecuteAsync(
            $"""
            INSERT INTO users (external_id, name, email, country, signed_up_at)
            SELECT 'U' || n, 'User ' || n, 'user.' || n || '@example.com', 'DE', now() FROM generate_series(1, {Users}) n;
            CREATE TABLE bench_writes (id uuid PRIMARY KEY, users int NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp());
            ANALYZE;
            """
        );
        return database;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Connections.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<bool> HasOpenTasksAsync()
    {
        await using var command = Connections.CreateCommand(
            "SELECT count(*) FROM heavy_tasks WHERE status IN ('Scheduled', 'Queued', 'Running')"
        );
        return (long)(await command.ExecuteScalarAsync())! > 0;
    }

    /// <summary>The ids of the tasks that wrote their row.</summary>
    public async Task<HashSet<Guid>> WrittenAsync()
    {
        var ids = new HashSet<Guid>();
        await using var command = Connections.CreateCommand("SELECT id FROM bench_writes");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids;
    }

    public ValueTask DisposeAsync() => Connections.DisposeAsync();
}
