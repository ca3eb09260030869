using Npgsql;
using Platform.Support;

namespace Platform.Api.Tests;

internal static class TestDatabaseExtensions
{
    public static async Task<long> CountAsync(this TestDatabase database, string table) =>
        (long)(await database.ScalarAsync($"SELECT count(*) FROM {table}"))!;

    public static async Task<object?> ScalarAsync(this TestDatabase database, string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        return await command.ExecuteScalarAsync();
    }
}
