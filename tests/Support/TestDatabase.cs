using Npgsql;
using Platform.Persistence;

namespace Platform.Support;

/// <summary>A database of a test's own, with all migrations applied and otherwise empty. It is dropped at the end, whoever is still connected.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly string name;

    private TestDatabase(string name)
    {
        this.name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(Servers.Postgres) { Database = name, IncludeErrorDetail = true }.ConnectionString;
    }

    /// <summary>For <c>ConnectionStrings:Platform</c> of the services under test.</summary>
    public string ConnectionString { get; }

    /// <summary>Makes the database on the shared server (<see cref="Servers.Postgres"/>).</summary>
    public static async Task<TestDatabase> CreateAsync()
    {
        var template = await DatabaseTemplate.GetAsync(Servers.Postgres);
        var database = new TestDatabase($"platform_test_{Guid.NewGuid():N}");
        await ExecuteAsync($"CREATE DATABASE {database.name} TEMPLATE {template}");
        return database;
    }

    /// <summary>A new context, without outbox relay or pool settings, to arrange and to look with. The caller disposes it.</summary>
    public PlatformDbContext CreateContext() => DatabaseProvider.CreateContext(ConnectionString);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await using (var pooled = new NpgsqlConnection(ConnectionString))
        {
            NpgsqlConnection.ClearPool(pooled);
        }

        await ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }

    private static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Servers.Postgres);
        await connection.OpenAsync();
        await DatabaseTemplate.ExecuteAsync(connection, sql);
    }
}
