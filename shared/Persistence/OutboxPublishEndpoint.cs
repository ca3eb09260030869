using MassTransit;
using Platform.Outbox;

namespace Platform.Persistence;

/// <summary>
/// Publishes through the outbox of the scope's <see cref="PlatformDbContext"/>, also inside a consumer, where MassTransit's scoped
/// <c>IPublishEndpoint</c> is the message's context and sends at once.
/// </summary>
public sealed class OutboxPublishEndpoint(OutboxBusContext<PlatformDbContext> context)
{
    /// <summary>Adds a message to the context; it is sent after the commit of the <c>SaveChanges</c> that carries it.</summary>
    public Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class => context.PublishEndpoint.Publish(message, cancellationToken);
}
