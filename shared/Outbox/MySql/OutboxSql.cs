using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>The parts of the outbox's statements that are specific to MySQL and MariaDB.</summary>
internal static class OutboxSql
{
    /// <summary>Whether a database can have schemas that contain tables.</summary>
    public const bool HasSchemas = false;

    /// <summary>The default of a column that stores when its row was inserted.</summary>
    public const string DefaultNow = "(UTC_TIMESTAMP(6))";

    /// <summary>The current time.</summary>
    public const string Now = "UTC_TIMESTAMP(6)";

    /// <summary>
    /// Goes after the table's name in statements that find rows by their ids. Otherwise the server may read a small table whole, or by
    /// another index, and lock rows on its way that the statement does not want: two such statements deadlock.
    /// </summary>
    public const string ByPrimaryKey = "FORCE INDEX (PRIMARY)";

    /// <summary>A DELETE up to its WHERE. The short form for one table accepts no index hint.</summary>
    public static string DeleteFrom(string table) => $"DELETE m FROM {table} AS m {ByPrimaryKey}";

    /// <summary>The time this many seconds from now.</summary>
    public static string NowPlus(string seconds) => $"TIMESTAMPADD(MICROSECOND, 1000000 * ({seconds}), {Now})";

    /// <summary>A condition that is true when the column has one of the values.</summary>
    public static string In<T>(string column, IReadOnlyCollection<T> values, List<object> parameters)
    {
        var first = parameters.Count;
        parameters.AddRange(values.Select(v => (object)v!));
        return $"{column} IN ({string.Join(", ", Enumerable.Range(first, values.Count).Select(i => $"{{{i}}}"))})";
    }

    public static void Configure(EntityTypeBuilder<OutboxMessage> message)
    {
        // MySQL has no partial indexes. With the owner first, messages that wait are apart from those that are sent from memory.
        message.HasIndex(m => new { m.LeaseOwner, m.DueAt });
    }
}
