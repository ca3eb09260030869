namespace Platform.ThroughputRunner;

/// <summary>What the runner must know about MySQL and MariaDB.</summary>
internal static class DatabaseKind
{
    /// <summary>The bare subject whose driver is set as the platform's Api sets it, and that setting.</summary>
    public const string TunedBare = "bare, sessions not reset";

    public const string TuningName = "Database__ResetSessions";

    public const string TuningValue = "false";

    /// <summary>Name and version of the server.</summary>
    public const string Server = "SELECT concat(if(version() LIKE '%MariaDB%', 'MariaDB ', 'MySQL '), substring_index(version(), '-', 1))";

    /// <summary>What decides how durable it is, and how quick. The isolation has two names, one on each server.</summary>
    public const string Settings =
        "SHOW GLOBAL VARIABLES WHERE variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_flush_method', 'innodb_doublewrite', "
        + "'innodb_buffer_pool_size', 'log_bin', 'sync_binlog', 'tx_isolation', 'transaction_isolation')";

    public const string CreateBareRows = "CREATE TABLE bare_rows (PRIMARY KEY (id)) SELECT * FROM heavy_tasks LIMIT 0";

    public const string Tables = "SELECT table_name, table_schema FROM information_schema.tables WHERE table_schema = database()";

    public static readonly Type Driver = typeof(MySqlConnector.MySqlConnection);

    /// <summary>Empties tables, whose ids begin anew, and writes all dirty pages (MySQL has no command for that; the emptied tables' are gone).</summary>
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

    /// <summary>Process id of a server on this machine.</summary>
    public static async Task<int?> ProcessIdAsync(Database database)
    {
        var file = await database.ScalarAsync<string>("SELECT @@pid_file");
        return File.Exists(file) ? int.Parse(await File.ReadAllTextAsync(file)) : null;
    }
}
