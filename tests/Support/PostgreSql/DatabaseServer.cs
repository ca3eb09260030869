using System.Data.Common;
using Npgsql;

namespace Platform.Support;

/// <summary>What tests do to the database server besides the platform's own work, on PostgreSQL.</summary>
internal static class DatabaseServer
{
    /// <summary>The name of this kind of server in <c>tools/servers.sh</c>.</summary>
    public const string Kind = "postgres";

    /// <summary>The environment variable with the connection string of a superuser.</summary>
    public const string Variable = "TEST_POSTGRES";

    public const string ForgetMigrations = "DELETE FROM \"__EFMigrationsHistory\"";

    public const string AddUnknownMigration = "INSERT INTO \"__EFMigrationsHistory\" VALUES ('99990101000000_Later', '10.0.0')";

    /// <summary>Adds the key that the clients of tests send.</summary>
    public static readonly string AddTestKey = TestKey.Insert("'\\x{0}'");

    public static DbConnection Connect(string connectionString) => new NpgsqlConnection(connectionString);

    public static string ConnectionStringOf(string admin, string database) =>
        new NpgsqlConnectionStringBuilder(admin) { Database = database, IncludeErrorDetail = true }.ConnectionString;

    public static async Task CreateDatabaseAsync(string admin, string name) =>
        await ExecuteAsync(admin, $"CREATE DATABASE {name} TEMPLATE {await DatabaseTemplate.GetAsync(admin)}");

    public static Task DropDatabaseAsync(string admin, string name) => ExecuteAsync(admin, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");

    public static Task EmptyDatabaseAsync(string connectionString) =>
        ExecuteAsync(connectionString, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");

    /// <summary>Closes the idle connections of this process.</summary>
    public static void ClearPool(string connectionString)
    {
        using var pooled = new NpgsqlConnection(connectionString);
        NpgsqlConnection.ClearPool(pooled);
    }

    public static Task EndConnectionsAsync(string connectionString, string application) =>
        ExecuteAsync(
            connectionString,
            $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{application}'"
        );

    /// <summary>A query for the number of connections to the database that wait for a lock.</summary>
    public const string CountLockWaits =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

    /// <summary>A query for the number of connections of a service to the database.</summary>
    public static string CountConnections(string application, bool busy) =>
        $"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{application}'{(busy ? " AND state <> 'idle'" : "")}";

    /// <summary>A query for the names of the services that are connected to the database, other than by this connection.</summary>
    public static string ConnectionNames() =>
        "SELECT string_agg(DISTINCT application_name, ',') FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

    /// <summary>A statement that lets a role in with a password.</summary>
    public static string SetPassword(string user, string password) => $"ALTER ROLE {user} LOGIN PASSWORD '{password}'";

    public static string ConnectionStringAs(string connectionString, string user, string password) =>
        new NpgsqlConnectionStringBuilder(connectionString) { Username = user, Password = password }.ConnectionString;

    public static string VerifiedConnectionString(string connectionString, string host, string authorities) =>
        new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = host,
            SslMode = SslMode.VerifyFull,
            RootCertificate = authorities,
        }.ConnectionString;

    public static string UnencryptedConnectionString(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { SslMode = SslMode.Disable }.ConnectionString;

    public static Task DropUserAsync(string admin, string user) => ExecuteAsync(admin, $"DROP ROLE IF EXISTS {user}");

    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await DatabaseTemplate.ExecuteAsync(connection, sql);
    }
}
