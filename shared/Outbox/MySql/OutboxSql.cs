using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>What the statements of the outbox say differently on MySQL and MariaDB.</summary>
internal static class OutboxSql
{
    /// <summary>The default of a column that tells when its row was inserted.</summary>
    public const string DefaultNow = "(UTC_TIMESTAMP(6))";

    /// <summary>The time.</summary>
    public const string Now = "UTC_TIMESTAMP(6)";

    /// <summary>
    /// Behind the table's name, where rows are found by their ids. Left to itself, the server reads a small table whole, or by another index,
    /// and locks rows on its way that are none of the statement's: two of them deadlock.
    /// </summary>
    public const string ByPrimaryKey = "FORCE INDEX (PRIMARY)";

    /// <summary>A DELETE up to its WHERE. Of one table, the short form takes no index by name.</summary>
    public static string DeleteFrom(string table) => $"DELETE m FROM {table} AS m {ByPrimaryKey}";

    /// <summary>So many seconds from now.</summary>
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
        // There are no partial indexes here. With the owner in front, what waits stands apart from what is sent from memory.
        message.HasIndex(m => new { m.LeaseOwner, m.DueAt });
    }
}
