using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace Platform.HeavyTasks;

internal sealed partial class PostgreSqlDialect
{
    public void ConfigureModel(ModelBuilder modelBuilder)
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

        modelBuilder.Entity<HeavyTaskTag>(tag =>
        {
            tag.Property(t => t.Tag).UseCollation("C");
            tag.Property(t => t.TenantTag).UseCollation("C");
            tag.HasIndex(t => new { t.TenantTag, t.TaskId }).HasFilter("tenant_tag IS NOT NULL");
        });
        modelBuilder.Entity<AnnouncedKind>().Property(k => k.Name).UseCollation("C");
        modelBuilder.Entity<HeavyTask>(task =>
        {
            // Byte-by-byte comparison is faster: each change of status writes to two indexes that begin with these columns.
            task.Property(t => t.Kind).UseCollation("C");
            task.Property(t => t.Status).UseCollation("C");
            task.Property(t => t.TenantId).UseCollation("C");

            // Every task is updated several times, and finished tasks stay: the default share of the table would be many dead rows. A
            // vacuum without pauses takes one of two cores for a moment.
            task.HasStorageParameter("autovacuum_vacuum_scale_factor", 0.01);
            task.HasStorageParameter("autovacuum_vacuum_threshold", 5000);
            task.HasStorageParameter("autovacuum_vacuum_cost_delay", 0);

            // Partial indexes: rows outside the filter cost nothing.
            task.HasIndex(t => t.DueAt).HasFilter($"status = '{nameof(HeavyTaskStatus.Scheduled)}'");
            task.HasIndex(t => new { t.TenantId, t.IdempotencyKey }).HasFilter("idempotency_key IS NOT NULL");
            task.HasIndex(t => new
                {
                    t.TenantId,
                    t.Status,
                    t.Id,
                })
                .HasFilter("tenant_id <> ''");
            task.HasIndex(t => t.FinishedAt).HasFilter("finished_at IS NOT NULL");
        });
    }
}
