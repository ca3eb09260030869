using System.Data.Common;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using MySqlConnector;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Support;

/// <summary>What tests do to the database server besides the platform's own work, on MySQL and MariaDB.</summary>
internal static class DatabaseServer
{
    /// <summary>The name of this kind of server in <c>tools/servers.sh</c>.</summary>
    public const string Kind = "mysql";

    /// <summary>The environment variable with the connection string of an administrator.</summary>
    public const string Variable = "TEST_MYSQL";

    public const string ForgetMigrations = "DELETE FROM __EFMigrationsHistory";

    public const string AddUnknownMigration = "INSERT INTO __EFMigrationsHistory VALUES ('99990101000000_Later', '10.0.0')";

    /// <summary>
    /// A query for the number of transactions that wait for a lock in the database. It sleeps first, because MariaDB shows the same picture
    /// again to a client that looks every tenth of a second. The first comment is code for MariaDB only, the second for MySQL only: MySQL
    /// also has the table of transactions, but fills its column of statements for every row, and fails at a statement with a binary id.
    /// </summary>
    public const string CountLockWaits =
        "DO sleep(0.2); SELECT count(DISTINCT p.thread_id) FROM performance_schema.threads p JOIN "
        + "/*M! information_schema.innodb_trx w ON w.trx_mysql_thread_id = p.processlist_id AND w.trx_state = 'LOCK WAIT' */ "
        + "/*!80000 performance_schema.data_lock_waits w ON w.requesting_thread_id = p.thread_id */ "
        + "WHERE p.processlist_db = database()";

    /// <summary>Adds the key that the clients of tests send.</summary>
    public static readonly string AddTestKey = TestKey.Insert("x'{0}'");

    private static string? schema;

    public static DbConnection Connect(string connectionString) => new MySqlConnection(connectionString);

    public static string ConnectionStringOf(string admin, string database) =>
        new MySqlConnectionStringBuilder(admin)
        {
            Database = database,
            GuidFormat = MySqlGuidFormat.Binary16,
            DateTimeKind = MySqlDateTimeKind.Utc,
            AllowUserVariables = true,
        }.ConnectionString;

    // MySQL has no template databases, but to run the migrations' script at once is as fast as a copy.
    public static async Task CreateDatabaseAsync(string admin, string name)
    {
        await ExecuteAsync(admin, $"CREATE DATABASE {name}");
        var connectionString = ConnectionStringOf(admin, name);
        if (schema is null)
        {
            await using var db = PlatformDatabase.CreateContext(connectionString);
            schema = $"{db.GetService<IMigrator>().GenerateScript()}\n{AddTestKey};";
        }

        await ExecuteAsync(connectionString + ";Pooling=false", schema);
    }

    /// <summary>Drops a database. Ends the connections to it first, because a drop waits for the transactions of others.</summary>
    public static async Task DropDatabaseAsync(string admin, string name)
    {
        await KillAsync(admin, $"SELECT processlist_id FROM performance_schema.threads WHERE processlist_db = '{name}'");
        await ExecuteAsync(admin, $"DROP DATABASE IF EXISTS {name}");
    }

    public static async Task EmptyDatabaseAsync(string connectionString)
    {
        var name = new MySqlConnectionStringBuilder(connectionString).Database;
        await ExecuteAsync(connectionString, $"DROP DATABASE {name}; CREATE DATABASE {name}");
        ClearPool(connectionString);
    }

    /// <summary>Closes the idle connections of this process.</summary>
    public static void ClearPool(string connectionString)
    {
        using var pooled = new MySqlConnection(connectionString);
        MySqlConnection.ClearPool(pooled);
    }

    public static Task EndConnectionsAsync(string connectionString, string application) =>
        KillAsync(connectionString, $"SELECT p.processlist_id {FromConnections} AND a.attr_value = '{application}'");

    /// <summary>A query for the number of connections of a service to the database.</summary>
    public static string CountConnections(string application, bool busy) =>
        $"SELECT count(*) {FromConnections} AND a.attr_value = '{application}'{(busy ? " AND p.processlist_command <> 'Sleep'" : "")}";

    /// <summary>A query for the names of the services that are connected to the database, other than by this connection.</summary>
    public static string ConnectionNames() =>
        $"SELECT group_concat(DISTINCT a.attr_value) {FromConnections} AND p.processlist_id <> connection_id()";

    // This does not use information_schema.processlist, because MySQL fails there as described above.
    private const string FromConnections =
        "FROM performance_schema.threads p JOIN performance_schema.session_connect_attrs a ON a.processlist_id = p.processlist_id AND a.attr_name = 'program_name' "
        + "WHERE p.processlist_db = database()";

    private static async Task KillAsync(string connectionString, string connections)
    {
        await using var connection = new MySqlConnection(connectionString);
        await connection.OpenAsync();
        var ids = new List<ulong>();
        await using (var find = new MySqlCommand($"{connections}", connection))
        await using (var reader = await find.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                ids.Add(Convert.ToUInt64(reader.GetValue(0)));
            }
        }

        foreach (var id in ids.Where(id => id != (ulong)connection.ServerThread))
        {
            try
            {
                await using var kill = new MySqlCommand($"KILL {id}", connection);
                await kill.ExecuteNonQueryAsync();
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.NoSuchThread) { }
        }
    }

    /// <summary>A statement that lets a user in with a password.</summary>
    public static string SetPassword(string user, string password) => $"ALTER USER {user}@'%' IDENTIFIED BY '{password}' ACCOUNT UNLOCK";

    public static string ConnectionStringAs(string connectionString, string user, string password) =>
        new MySqlConnectionStringBuilder(connectionString) { UserID = user, Password = password }.ConnectionString;

    public static string VerifiedConnectionString(string connectionString, string host, string authorities) =>
        new MySqlConnectionStringBuilder(connectionString)
        {
            Server = host,
            SslMode = MySqlSslMode.VerifyFull,
            SslCa = authorities,
        }.ConnectionString;

    public static string UnencryptedConnectionString(string connectionString) =>
        new MySqlConnectionStringBuilder(connectionString) { SslMode = MySqlSslMode.Disabled }.ConnectionString;

    public static Task DropUserAsync(string admin, string user) => ExecuteAsync(admin, $"DROP USER IF EXISTS {user}@'%'");

    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        // Else the host of a user would be taken for a variable.
        var builder = new MySqlConnectionStringBuilder(connectionString) { AllowUserVariables = true };
        await using var connection = new MySqlConnection(builder.ConnectionString);
        await connection.OpenAsync();
        await using var command = new MySqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync();
    }
}
