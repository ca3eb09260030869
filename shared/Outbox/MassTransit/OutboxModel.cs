using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>The tables of MassTransit's outbox, without its inbox: the fence makes a second delivery harmless.</summary>
public static class OutboxModel
{
    /// <summary>Whether a model has the tables.</summary>
    internal static bool IsIn(IModel model) => model.FindEntityType(typeof(OutboxMessage)) is not null;

    /// <summary>Adds both tables to the model.</summary>
    public static ModelBuilder AddOutbox(this ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.AddOutboxStateEntity(state =>
        {
            state.ToTable("masstransit_outbox_states");
            SnakeCaseNames.Apply(state.Metadata);
        });
        modelBuilder.AddOutboxMessageEntity(message =>
        {
            message.ToTable("masstransit_outbox_messages");
            RemoveUnusedIndexes(message);
            SnakeCaseNames.Apply(message.Metadata);
        });
        return modelBuilder.Ignore<InboxState>();
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
