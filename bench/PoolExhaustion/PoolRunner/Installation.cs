using Npgsql;

namespace Platform.PoolRunner;

/// <summary>The database that everything is measured on: the platform's own schema, with users, and the table that the heavy work writes to.</summary>
internal sealed class Installation : IAsyncDisposable
{
    private const int Users = 10_000;

    private readonly string admin;
    private readonly string name;

    private Installation(string admin, string name, string broker)
    {
        this.admin = admin;
        this.name = name;
        var connectionString = new NpgsqlConnectionStringBuilder(admin) { Database = name };
        Settings = new Dictionary<string, string>
        {
            ["ConnectionStrings__Platform"] = connectionString.ConnectionString,
            ["RabbitMq__Uri"] = broker,
            ["Logging__LogLevel__Default"] = "Warning",
        };
        connectionString.ApplicationName = Activity.OwnName;
        connectionString.MaxPoolSize = 4;
        Database = NpgsqlDataSource.Create(connectionString);
    }

    /// <summary>Settings that every service needs.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    /// <summary>The measurement's own connections.</summary>
    public NpgsqlDataSource Database { get; }

    public static async Task<Installation> CreateAsync(TimeProvider time)
    {
        var admin = Environment.GetEnvironmentVariable("TEST_POSTGRES") ?? throw new InvalidOperationException("TEST_POSTGRES is not set.");
        var broker =
            Environment.GetEnvironmentVariable("TEST_RABBITMQ") ?? throw new InvalidOperationException("TEST_RABBITMQ is not set.");
        var name = $"pools_{time.GetUtcNow():HHmmss}_{Environment.ProcessId}";
        await ExecuteOnServerAsync(admin, $"CREATE DATABASE {name}");
        var installation = new Installation(admin, name, broker);
        await Service.RunAsync("services/Api", installation.Settings, "migrate");
        await installation.ExecuteAsync(
            $"""
            INSERT INTO users (external_id, name, email, country, signed_up_at)
            SELECT 'U' || n, 'User ' || n, 'user.' || n || '@example.com', 'DE', now() FROM generate_series(1, {Users}) n;
            CREATE TABLE bench_writes (id uuid PRIMARY KEY, users int NOT NULL, written_at timestamptz NOT NULL DEFAULT clock_timestamp());
            ANALYZE;
            """
        );
        return installation;
    }

    /// <summary>The settings of every service and some more.</summary>
    public IEnumerable<KeyValuePair<string, string>> With(params IEnumerable<(string Name, string Value)> more) =>
        Settings.Concat(more.Select(m => KeyValuePair.Create(m.Name, m.Value)));

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Ids of the tasks that wrote their row.</summary>
    public async Task<HashSet<Guid>> WrittenAsync()
    {
        var ids = new HashSet<Guid>();
        await using var command = Database.CreateCommand("SELECT id FROM bench_writes");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            ids.Add(reader.GetGuid(0));
        }

        return ids;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await ExecuteOnServerAsync(admin, $"DROP DATABASE {name} WITH (FORCE)");
    }

    private static async Task ExecuteOnServerAsync(string admin, string sql)
    {
        await using var server = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(admin) { Pooling = false });
        await using var command = server.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
