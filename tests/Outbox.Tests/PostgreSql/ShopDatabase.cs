using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Platform.Outbox.Tests;

/// <summary>The database of the shop, on PostgreSQL.</summary>
internal static class ShopDatabase
{
    /// <summary>The shop has its own schema.</summary>
    public const string? Schema = "shop";

    public const string OutboxTable = "outbox_messages";

    /// <summary>
    /// Makes all leases and pauses look ended: those of messages that wait just now, because most looks of the sweeper leave out what was
    /// due long before; those of messages in the memory of a process so that they look abandoned.
    /// </summary>
    public const string EndLeases = """
        UPDATE shop.outbox_messages SET due_at = now() - CASE WHEN lease_owner IS NULL THEN interval '0' ELSE interval '31 seconds' END
        WHERE error IS NULL
        """;

    /// <summary>Fills the outbox with rows: postponed, set aside, or leased by a process.</summary>
    public static string Fill(int count, string owner, string dueInSeconds, string error) =>
        $"""
            INSERT INTO shop.outbox_messages (id, destination_address, content_type, body, lease_owner, due_at, failures, error)
            SELECT (lpad(to_hex(((extract(epoch FROM now())::bigint - 3600) * 1000 + n % 1000)), 12, '0') || substr(md5(random()::text || n), 1, 20))::uuid, 'exchange:nowhere', 'text/plain', '', {owner},
                now() + interval '1 second' * {dueInSeconds}, 0, {error}
            FROM generate_series(1, {count}) AS n
            """;

    public static string Literal(Guid id) => $"'{id}'::uuid";

    public static DbContextOptionsBuilder UseShopDatabase(this DbContextOptionsBuilder options, string connectionString) =>
        options.UseNpgsql(connectionString);

    /// <summary>
    /// Counts the entries that the server read from indexes and the rows that it read from the table, for all sessions of the database.
    /// </summary>
    public static async Task<long> CountReadsAsync(DbConnection session)
    {
        await using var command = session.CreateCommand();
        command.CommandText = """
            SELECT pg_stat_force_next_flush();
            SELECT pg_stat_clear_snapshot();
            SELECT ((SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'shop' AND relname = 'outbox_messages')
                + (SELECT seq_tup_read FROM pg_stat_user_tables WHERE schemaname = 'shop' AND relname = 'outbox_messages'))::bigint
            """;
        await using var reader = await command.ExecuteReaderAsync();
        await reader.NextResultAsync();
        await reader.NextResultAsync();
        await reader.ReadAsync();
        return reader.GetInt64(0);
    }
}
