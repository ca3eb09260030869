using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.Outbox.Tests;

/// <summary>The database of the shop, on MySQL and MariaDB.</summary>
internal static class ShopDatabase
{
    /// <summary>MySQL has no schemas, so the table has its own name.</summary>
    public const string? Schema = null;

    public const string OutboxTable = "shop_outbox_messages";

    /// <summary>
    /// Makes all leases and pauses look ended: those of messages that wait just now, because most looks of the sweeper leave out what was
    /// due long before; those of messages in the memory of a process so that they look abandoned.
    /// </summary>
    public const string EndLeases = """
        UPDATE shop_outbox_messages SET due_at = TIMESTAMPADD(SECOND, IF(lease_owner IS NULL, 0, -31), UTC_TIMESTAMP(6)) WHERE error IS NULL
        """;

    /// <summary>Fills the outbox with rows: postponed, set aside, or leased by a process.</summary>
    public static string Fill(int count, string owner, string dueInSeconds, string error) =>
        $"""
            INSERT INTO shop_outbox_messages (id, destination_address, content_type, body, lease_owner, due_at, failures, error)
            WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
            SELECT CAST(UNHEX(CONCAT(LPAD(HEX(1000 * (UNIX_TIMESTAMP() - 3600) + a.n), 12, '0'), LEFT(SHA2(CONCAT(UUID(), a.n, '.', b.n), 256), 20))) AS BINARY(16)), 'exchange:nowhere', 'text/plain', '', {owner},
                TIMESTAMPADD(SECOND, {dueInSeconds}, UTC_TIMESTAMP(6)), 0, {error}
            FROM numbers a JOIN numbers b ON b.n <= {count} / 1000
            """;

    public static string Literal(Guid id) => $"UNHEX('{id:N}')";

    public static DbContextOptionsBuilder UseShopDatabase(this DbContextOptionsBuilder options, string connectionString) =>
        options.UseMySql(
            new MySqlConnectionStringBuilder(connectionString)
            {
                GuidFormat = MySqlGuidFormat.Binary16,
                DateTimeKind = MySqlDateTimeKind.Utc,
            }.ConnectionString,
            ServerVersion.Parse("8.0.0-mysql")
        );

    /// <summary>Counts the rows that the server read for the statements of one session.</summary>
    public static async Task<long> CountReadsAsync(DbConnection session)
    {
        await using var command = session.CreateCommand();
        command.CommandText = "SHOW SESSION STATUS LIKE 'Handler_read%'";
        await using var reader = await command.ExecuteReaderAsync();
        long reads = 0;
        while (await reader.ReadAsync())
        {
            reads += long.Parse(reader.GetString(1), System.Globalization.CultureInfo.InvariantCulture);
        }

        return reads;
    }
}
