using Platform.Runner.Throughput;

namespace Platform.Runner;

/// <summary>What the runner must know about PostgreSQL.</summary>
internal static class DatabaseKind
{
    /// <summary>
    /// The name of the bare subject whose driver has the same setting as the platform, with that setting: as many prepared statements as
    /// <c>DatabaseOptions</c> has by default.
    /// </summary>
    public const string TunedBare = "bare, prepared statements";

    public const string TuningName = "Database__MaxPreparedStatements";

    public const string TuningValue = "50";

    /// <summary>The name and version of the server.</summary>
    public const string Server = "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1)";

    /// <summary>The settings that decide how durable and how fast the server is.</summary>
    public const string Settings =
        "SELECT name, current_setting(name) FROM unnest(ARRAY['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers']) AS name";

    public const string CreateBareRows = "CREATE TABLE bare_rows (LIKE heavy_tasks INCLUDING DEFAULTS, PRIMARY KEY (id))";

    public const string Tables = "SELECT table_name, table_schema FROM information_schema.tables WHERE table_schema = 'public'";

    public static readonly Type Driver = typeof(Npgsql.NpgsqlConnection);

    /// <summary>Empties tables, restarts their ids, and writes all dirty pages.</summary>
    public static async Task EmptyAsync(Database database, IEnumerable<string> tables)
    {
        await database.ExecuteAsync($"TRUNCATE {string.Join(", ", tables)} RESTART IDENTITY");
        await database.ExecuteAsync("CHECKPOINT");
    }

    /// <summary>The process id of a server on this machine.</summary>
    public static async Task<int?> ProcessIdAsync(Database database) =>
        CpuUse.Parent(await database.ScalarAsync<int>("SELECT pg_backend_pid()"));
}
