using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Platform.Outbox;

namespace Platform.Persistence;

/// <summary>What the model needs to know about PostgreSQL.</summary>
internal static class ProviderModel
{
    public static void Configure(ModelBuilder modelBuilder)
    {
        modelBuilder.AddOutbox();
        modelBuilder.HasDbFunction(() => DatabaseClock.UtcNow()).HasTranslation(_ => new SqlFunctionExpression(
            "statement_timestamp", [], nullable: false, argumentsPropagateNullability: [], typeof(DateTime), typeMapping: null));

        // Partial indexes: a terminal row costs nothing in them.
        modelBuilder.Entity<HeavyTask>(task =>
        {
            task.HasIndex(t => t.Owner).HasFilter("owner IS NOT NULL");
            task.HasIndex(t => t.DueAt).HasFilter("status = 'Scheduled'");
            task.HasIndex(t => t.IdempotencyKey).HasFilter("idempotency_key IS NOT NULL");
            task.HasIndex(t => t.FinishedAt).HasFilter("finished_at IS NOT NULL");
        });
    }
}
