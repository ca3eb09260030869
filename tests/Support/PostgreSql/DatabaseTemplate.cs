using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Support;

/// <summary>
/// A database with all migrations applied, which the server copies for each test much faster than it could migrate a new one.
/// </summary>
internal static class DatabaseTemplate
{
    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Templates = new();

    /// <summary>The name of the template on this server. The first caller creates it, once for each state of the migrations.</summary>
    public static Task<string> GetAsync(string adminConnectionString) =>
        Templates.GetOrAdd(adminConnectionString, server => new Lazy<Task<string>>(() => EnsureAsync(server))).Value;

    private static async Task<string> EnsureAsync(string adminConnectionString)
    {
        var name = $"platform_template_{MigrationsHash(adminConnectionString)}";
        await using var connection = new NpgsqlConnection(adminConnectionString);
        await connection.OpenAsync();

        // Test projects may run at the same time as separate processes, so the lock belongs to the server.
        await ExecuteAsync(connection, "SELECT pg_advisory_lock(hashtext('platform_template'))");
        try
        {
            if (!await ExistsAsync(connection, name))
            {
                // A database of that name that is not marked as a template was left half finished by a killed process.
                await ExecuteAsync(connection, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                await ExecuteAsync(connection, $"CREATE DATABASE {name}");
                await MigrateAsync(
                    new NpgsqlConnectionStringBuilder(adminConnectionString) { Database = name, Pooling = false }.ConnectionString
                );
                await ExecuteAsync(connection, $"ALTER DATABASE {name} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false");
            }
        }
        finally
        {
            await ExecuteAsync(connection, "SELECT pg_advisory_unlock(hashtext('platform_template'))");
        }

        return name;
    }

    /// <summary>Applies all migrations.</summary>
    private static async Task MigrateAsync(string connectionString)
    {
        await using var db = PlatformDatabase.CreateContext(connectionString);
        await db.Database.MigrateAsync();
        await db.Database.ExecuteSqlRawAsync(DatabaseServer.AddTestKey);
    }

    /// <summary>Runs a statement.</summary>
    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string name)
    {
        await using var command = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)",
            connection
        );
        command.Parameters.AddWithValue(name);
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    private static string MigrationsHash(string connectionString)
    {
        using var db = PlatformDatabase.CreateContext(connectionString);
        var script = db.GetService<IMigrator>().GenerateScript() + DatabaseServer.AddTestKey;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(script)))[..16];
    }
}
