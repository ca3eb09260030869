using Npgsql;
using Platform.Support;

namespace Platform.ThroughputRunner;

/// <summary>The database of this run: the platform's tables and the bare endpoint's.</summary>
internal sealed class Database : IAsyncDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TestDatabase database;
    private readonly NpgsqlDataSource dataSource;

    private Database(TestDatabase database)
    {
        this.database = database;
        dataSource = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "throughput-runner" });
    }

    public string ConnectionString => database.ConnectionString;

    public static async Task<Database> CreateAsync()
    {
        var database = new Database(await TestDatabase.CreateAsync());
        await database.ExecuteAsync("CREATE TABLE bare_rows (LIKE heavy_tasks INCLUDING DEFAULTS)");
        await database.ExecuteAsync("ALTER TABLE bare_rows ADD PRIMARY KEY (id)");
        return database;
    }

    /// <summary>Empties the tables and writes all dirty pages, so that every measurement starts alike.</summary>
    public async Task ResetAsync()
    {
        await ExecuteAsync("TRUNCATE heavy_tasks, heavy_task_attempts, outbox_messages, users, bare_rows");
        await ExecuteAsync("CHECKPOINT");
    }

    public Task<long> UsersAsync() => ScalarAsync<long>("SELECT count(*) FROM users");

    /// <summary>Ids given to users so far: what is committed is a little less. Costs the same however many there are.</summary>
    public Task<long> LastUserIdAsync() => ScalarAsync<long>("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM users_id_seq");

    /// <summary>Returns when that many users are committed, not counting those before <paramref name="lastUserId"/>.</summary>
    public async Task WaitForUsersAsync(long lastUserId, int count)
    {
        await WaitAsync(async () => await LastUserIdAsync() - lastUserId >= count, $"{count} rows");
        await WaitAsync(async () => await UsersAsync() >= count, $"{count} rows");
    }

    public Task WaitForEmptyOutboxAsync() => WaitAsync(
        async () => !await ScalarAsync<bool>("SELECT EXISTS (SELECT FROM outbox_messages)"), "an empty outbox");

    /// <summary>When each user's handler started, by external id.</summary>
    public async Task<Dictionary<string, long>> StartsAsync()
    {
        await using var command = dataSource.CreateCommand("SELECT external_id, name FROM users");
        await using var reader = await command.ExecuteReaderAsync();
        var starts = new Dictionary<string, long>();
        while (await reader.ReadAsync())
        {
            starts[reader.GetString(0)] = long.Parse(reader.GetString(1));
        }

        return starts;
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = dataSource.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Process id of the server; null when it is not on this machine.</summary>
    public async Task<int?> ProcessIdAsync()
    {
        var host = new NpgsqlConnectionStringBuilder(ConnectionString).Host;
        return host is "localhost" or "127.0.0.1" ? CpuUse.Parent(await ScalarAsync<int>("SELECT pg_backend_pid()")) : null;
    }

    public async ValueTask DisposeAsync()
    {
        await dataSource.DisposeAsync();
        await database.DisposeAsync();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = dataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task WaitAsync(Func<Task<bool>> condition, string what)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience)
            {
                throw new TimeoutException($"No {what} within {Patience.TotalSeconds} s.");
            }

            await Task.Delay(PollInterval, TimeProvider.System, CancellationToken.None);
        }
    }
}
