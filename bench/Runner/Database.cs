using Platform.Support;

namespace Platform.Runner;

/// <summary>A database of this run, with the tables of the platform and of the bare endpoint.</summary>
internal sealed class Database : IAsyncDisposable
{
    // MassTransit's outbox has its own tables, in the database of its build.
    private static readonly string[] Filled =
    [
        "heavy_tasks",
        "heavy_task_attempts",
        "outbox_messages",
        "masstransit_outbox_messages",
        "masstransit_outbox_states",
        "users",
        "bare_rows",
    ];

    private readonly TestDatabase database;
    private IReadOnlyList<string> tables = [];
    private Task<int?>? processId;

    private Database(TestDatabase database) => this.database = database;

    public string ConnectionString => database.ConnectionString;

    /// <summary>The name and version of the server.</summary>
    public string Server { get; private set; } = "";

    /// <param name="migrate">
    /// Creates the tables, given the connection string of an empty database; null for the tables of this build.
    /// </param>
    public static async Task<Database> CreateAsync(Func<string, Task>? migrate = null)
    {
        var database = new Database(await Patience.TryAsync(TestDatabase.CreateAsync));
        if (migrate is not null)
        {
            await database.database.EmptyAsync();
            await migrate(database.ConnectionString);
        }

        await database.ExecuteAsync(DatabaseKind.CreateBareRows);
        database.Server = await database.ScalarAsync<string>(DatabaseKind.Server);
        database.tables = [.. (await database.PairsAsync(DatabaseKind.Tables)).Keys.Intersect(Filled)];
        return database;
    }

    /// <summary>Empties the tables and writes all dirty pages, so that every measurement starts alike.</summary>
    public Task ResetAsync() => DatabaseKind.EmptyAsync(this, tables);

    /// <summary>The number of users since the last reset.</summary>
    public Task<long> UsersAsync() => ScalarAsync<long>("SELECT count(*) FROM users");

    /// <summary>The last user id since the reset, which is about the number of users. It costs the same however many there are.</summary>
    public Task<long> LastUserIdAsync() => ScalarAsync<long>("SELECT coalesce(max(id), 0) FROM users");

    /// <summary>Waits until this many users have been committed since the last reset.</summary>
    public async Task WaitForUsersAsync(int count)
    {
        await Patience.WaitAsync(async () => await LastUserIdAsync() >= count, $"{count} rows", Patience.Limit);
        await Patience.WaitAsync(async () => await UsersAsync() >= count, $"{count} rows", Patience.Limit);
    }

    public Task WaitForEmptyOutboxAsync()
    {
        var outboxes = tables.Where(table => table.EndsWith("outbox_messages", StringComparison.Ordinal));
        var first =
            $"SELECT {string.Join(" + ", outboxes.Select(table => $"(SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS messages)"))}";
        return Patience.WaitAsync(async () => await ScalarAsync<long>(first) == 0, "empty outbox", Patience.Limit);
    }

    /// <summary>When each user's handler started, by external id.</summary>
    public async Task<Dictionary<string, long>> StartsAsync() =>
        (await PairsAsync("SELECT external_id, name FROM users")).ToDictionary(pair => pair.Key, pair => long.Parse(pair.Value));

    /// <summary>Reads the rows of a query that returns two texts, of which the first is unique.</summary>
    public Task<Dictionary<string, string>> PairsAsync(string sql) =>
        Patience.TryAsync(async () =>
        {
            await using var connection = await database.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await using var reader = await command.ExecuteReaderAsync();
            var pairs = new Dictionary<string, string>();
            while (await reader.ReadAsync())
            {
                pairs.Add(reader.GetString(0), reader.GetString(1));
            }

            return pairs;
        });

    public async Task<T> ScalarAsync<T>(string sql) => (T)(await RunAsync(sql))!;

    public Task ExecuteAsync(string sql) => RunAsync(sql);

    /// <summary>The process id of the server; null when it is not on this machine.</summary>
    public Task<int?> ProcessIdAsync() => processId ??= ReadProcessIdAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private async Task<int?> ReadProcessIdAsync() =>
        ConnectionString.Contains("=127.0.0.1", StringComparison.Ordinal)
        || ConnectionString.Contains("=localhost", StringComparison.Ordinal)
            ? await DatabaseKind.ProcessIdAsync(this)
            : null;

    private Task<object?> RunAsync(string sql) => Patience.TryAsync(() => database.ScalarAsync(sql));
}
