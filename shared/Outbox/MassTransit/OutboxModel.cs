using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Platform.Outbox;

/// <summary>The tables of MassTransit's outbox, without its inbox: the fence makes a second delivery harmless.</summary>
public static class OutboxModel
{
    /// <summary>Whether a model contains the tables.</summary>
    internal static bool IsIn(IModel model) => model.FindEntityType(typeof(OutboxMessage)) is not null;

    /// <summary>Adds both tables to the model.</summary>
    public static ModelBuilder AddOutbox(this ModelBuilder modelBuilder, string? schema = null, string tablePrefix = "")
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        TablePlace.Check(schema, tablePrefix, hasSchemas: false);
        modelBuilder.AddOutboxStateEntity(state =>
        {
            state.ToTable($"{tablePrefix}masstransit_outbox_states");
            SnakeCaseNames.Apply(state.Metadata);
        });
        modelBuilder.AddOutboxMessageEntity(message =>
        {
            message.ToTable($"{tablePrefix}masstransit_outbox_messages");
            RemoveUnusedIndexes(message);
            SnakeCaseNames.Apply(message.Metadata);
        });
        return modelBuilder.Ignore<InboxState>();
    }

    // MassTransit's delivery finds messages by their outbox only, and each further index would have to be written with every message.
    private static void RemoveUnusedIndexes(EntityTypeBuilder<OutboxMessage> message)
    {
        foreach (var index in message.Metadata.GetIndexes().Where(i => i.Properties[0].Name != nameof(OutboxMessage.OutboxId)).ToArray())
        {
            message.Metadata.RemoveIndex(index);
        }
    }
}
