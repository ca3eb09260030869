using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace Platform.HeavyTasks;

/// <summary>What the model of the engine needs to know about PostgreSQL.</summary>
internal static class DatabaseModel
{
    public static void Configure(ModelBuilder modelBuilder)
    {
        modelBuilder
            .HasDbFunction(() => DatabaseClock.UtcNow())
            .HasTranslation(_ => new SqlFunctionExpression(
                "statement_timestamp",
                [],
                nullable: false,
                argumentsPropagateNullability: [],
                typeof(DateTime),
                typeMapping: null
            ));

        modelBuilder.Entity<HeavyTask>(task =>
        {
            // Compared byte by byte, which is quicker: each change of status makes entries in two indexes that begin with them.
            task.Property(t => t.Kind).UseCollation("C");
            task.Property(t => t.Status).UseCollation("C");

            // Every task is updated several times, and the finished ones stay: a share of the table would be many dead rows. Of two cores
            // a vacuum without pauses takes one for a moment.
            task.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.01);
            task.HasStorageParameter("autovacuum_vacuum_threshold", 5000);
            task.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);

            // Partial indexes: rows that are not concerned cost nothing in them.
            task.HasIndex(t => t.DueAt).HasFilter($"status = '{nameof(HeavyTaskStatus.Scheduled)}'");
            task.HasIndex(t => t.IdempotencyKey).HasFilter("idempotency_key IS NOT NULL");
            task.HasIndex(t => t.FinishedAt).HasFilter("finished_at IS NOT NULL");
        });
    }
}
