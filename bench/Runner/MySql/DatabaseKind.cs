namespace Platform.Runner;

/// <summary>What the runner must know about MySQL and MariaDB.</summary>
internal static class DatabaseKind
{
    /// <summary>The name of the bare subject whose driver has the same setting as the platform's Api, with that setting.</summary>
    public const string TunedBare = "bare, sessions not reset";

    public const string TuningName = "Database__ResetSessions";

    public const string TuningValue = "false";

    /// <summary>The name and version of the server.</summary>
    public const string Server = "SELECT concat(if(version() LIKE '%MariaDB%', 'MariaDB ', 'MySQL '), substring_index(version(), '-', 1))";

    /// <summary>
    /// The settings that decide how durable and how fast the server is. The isolation level has a different name on each server.
    /// </summary>
    public const string Settings =
        "SHOW GLOBAL VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_flush_method', 'innodb_doublewrite', "
        + "'innodb_buffer_pool_size', 'log_bin', 'sync_binlog', 'tx_isolation', 'transaction_isolation')";

    public const string CreateBareRows = "CREATE TABLE bare_rows (PRIMARY KEY (id)) SELECT * FROM heavy_tasks LIMIT 0";

    public const string Tables = "SELECT table_name, table_schema FROM information_schema.tables WHERE table_schema = database()";

    public static readonly Type Driver = typeof(MySqlConnector.MySqlConnection);

    /// <summary>
    /// Empties tables, restarts their ids, and writes all dirty pages (MySQL has no command for that, but the pages of the emptied tables
    /// are gone).
    /// </summary>
    public static async Task EmptyAsync(Database database, IEnumerable<string> tables)
    {
        await database.ExecuteAsync(
            $"SET foreign_key_checks = 0; {string.Concat(tables.Select(table => $"TRUNCATE {table}; "))}SET foreign_key_checks = 1"
        );
        if (database.Server.StartsWith("MariaDB", StringComparison.Ordinal))
        {
            await database.ExecuteAsync("SET GLOBAL innodb_log_checkpoint_now = ON");
        }
    }

    /// <summary>The process id of a server on this machine.</summary>
    public static async Task<int?> ProcessIdAsync(Database database)
    {
        var file = await database.ScalarAsync<string>("SELECT @@pid_file");
        return File.Exists(file) ? int.Parse(await File.ReadAllTextAsync(file)) : null;
    }
}
