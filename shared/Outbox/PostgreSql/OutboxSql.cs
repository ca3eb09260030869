using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>The parts of the outbox's statements that are specific to PostgreSQL.</summary>
internal static class OutboxSql
{
    /// <summary>Whether a database can have schemas that contain tables.</summary>
    public const bool HasSchemas = true;

    /// <summary>The default of a column that stores when its row was inserted.</summary>
    public const string DefaultNow = "clock_timestamp()";

    /// <summary>The current time. It is constant within a statement, so that an index can be searched for it.</summary>
    public const string Now = "statement_timestamp()";

    /// <summary>Goes after the table's name in statements that find rows by their ids.</summary>
    public const string ByPrimaryKey = "";

    /// <summary>A DELETE up to its WHERE.</summary>
    public static string DeleteFrom(string table) => $"DELETE FROM {table}";

    /// <summary>The time this many seconds from now.</summary>
    public static string NowPlus(string seconds) => $"{Now} + interval '1 second' * ({seconds})";

    /// <summary>A condition that is true when the column has one of the values.</summary>
    public static string In<T>(string column, IReadOnlyCollection<T> values, List<object> parameters)
    {
        parameters.Add(values.ToArray());
        return $"{column} = ANY ({{{parameters.Count - 1}}})";
    }

    public static void Configure(EntityTypeBuilder<OutboxMessage> message)
    {
        // The index holds only messages that wait: a message that is leased at its insert and sent from memory costs it nothing.
        message.HasIndex(m => m.DueAt).HasFilter("lease_owner IS NULL");

        // Rows come and go, so their number says nothing about the number of dead rows. No pauses are needed, because the table is small.
        message.HasStorageParameter("autovacuum_vacuum_scale_factor", 0);
        message.HasStorageParameter("autovacuum_vacuum_threshold", 5000);
        message.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);
    }
}
