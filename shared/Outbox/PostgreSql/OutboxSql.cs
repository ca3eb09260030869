using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>What the statements of the outbox say differently on PostgreSQL.</summary>
internal static class OutboxSql
{
    /// <summary>The default of a column that tells when its row was inserted.</summary>
    public const string DefaultNow = "clock_timestamp()";

    /// <summary>The time. Stable within a statement, so that an index can be searched for it.</summary>
    public const string Now = "statement_timestamp()";

    /// <summary>Behind the table's name, where rows are found by their ids.</summary>
    public const string ByPrimaryKey = "";

    /// <summary>A DELETE up to its WHERE.</summary>
    public static string DeleteFrom(string table) => $"DELETE FROM {table}";

    /// <summary>So many seconds from now.</summary>
    public static string NowPlus(string seconds) => $"{Now} + interval '1 second' * ({seconds})";

    /// <summary>A condition that is true when the column has one of the values.</summary>
    public static string In<T>(string column, IReadOnlyCollection<T> values, List<object> parameters)
    {
        parameters.Add(values.ToArray());
        return $"{column} = ANY ({{{parameters.Count - 1}}})";
    }

    public static void Configure(EntityTypeBuilder<OutboxMessage> message)
    {
        // Holds what waits, and nothing of what is sent from memory: a message that is leased at its insert costs this index nothing.
        message.HasIndex(m => m.DueAt).HasFilter("lease_owner IS NULL");

        // Rows come and go, so their number says nothing about how many dead ones there are. Without a pause: the table is small.
        message.HasStorageParameter("autovacuum_vacuum_scale_factor", 0);
        message.HasStorageParameter("autovacuum_vacuum_threshold", 5000);
        message.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);
    }
}
