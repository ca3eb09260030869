using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Persistence;

/// <summary>What the model needs to know about MySQL and MariaDB.</summary>
internal static class ProviderModel
{
    public static void Configure(ModelBuilder modelBuilder)
    {
        // Four bytes a character, or names with emoji are refused; and equality as C# has it. The one binary collation that both servers
        // know: it ignores trailing spaces (docs/mysql.md says where that shows).
        modelBuilder.HasCharSet("utf8mb4", DelegationModes.ApplyToAll).UseCollation("utf8mb4_bin", DelegationModes.ApplyToAll);
        QueryFunctions.Configure(modelBuilder);
        modelBuilder.Entity<HeavyTask>().HasIndex(t => t.FinishedAt);
        AddOutbox(modelBuilder);
    }

    // MassTransit's tables, without its inbox: the fence makes a second delivery harmless.
    private static void AddOutbox(ModelBuilder modelBuilder)
    {
        modelBuilder.AddOutboxStateEntity(state => state.ToTable("outbox_states"));
        modelBuilder.AddOutboxMessageEntity(message =>
        {
            message.ToTable("outbox_messages");
            RemoveUnusedIndexes(message);
        });
        modelBuilder.Ignore<InboxState>();
    }

    // Its delivery looks messages up by their outbox alone; each further index is written with every message.
    private static void RemoveUnusedIndexes(EntityTypeBuilder<OutboxMessage> message)
    {
        foreach (var index in message.Metadata.GetIndexes().Where(i => i.Properties[0].Name != nameof(OutboxMessage.OutboxId)).ToArray())
        {
            message.Metadata.RemoveIndex(index);
        }
    }
}
