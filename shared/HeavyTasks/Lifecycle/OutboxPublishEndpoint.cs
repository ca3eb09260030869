using MassTransit;

namespace Platform.HeavyTasks;

/// <summary>
/// Publishes through the outbox of the scope's context, also inside a consumer, where MassTransit's scoped <c>IPublishEndpoint</c> is the
/// message's context and sends at once.
/// </summary>
internal sealed class OutboxPublishEndpoint(Func<IPublishEndpoint> outbox)
{
    /// <summary>Adds a message to the context; it is sent after the commit of the <c>SaveChanges</c> that carries it.</summary>
    public Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class => outbox().Publish(message, cancellationToken);
}
