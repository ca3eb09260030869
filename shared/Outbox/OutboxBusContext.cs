using MassTransit;
using MassTransit.Clients;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Context;
using MassTransit.Serialization;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Platform.Outbox;

/// <summary>
/// What a scope's <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> write to: every message becomes a tracked
/// <see cref="OutboxMessage"/> of the scope's <see cref="DbContext"/> and is saved, or not, together with everything else.
/// </summary>
/// <typeparam name="TDbContext">The context whose <c>SaveChanges</c> carries the messages.</typeparam>
public sealed class OutboxBusContext<TDbContext>(
    IBus bus, TDbContext db, OutboxRelay relay, IOptions<OutboxOptions> options, IClientFactory clientFactory, IServiceProvider provider)
    : ScopedBusContext, OutboxSendContext
    where TDbContext : DbContext
{
    private IPublishEndpoint? publishEndpoint;
    private ISendEndpointProvider? sendEndpointProvider;
    private IScopedClientFactory? scopedClientFactory;

    /// <inheritdoc />
    public ISendEndpointProvider SendEndpointProvider => sendEndpointProvider ??= new OutboxSendEndpointProvider(this, bus);

    /// <inheritdoc />
    public IPublishEndpoint PublishEndpoint => publishEndpoint ??= new PublishEndpoint(new OutboxPublishEndpointProvider(this, bus));

    // A request waits for its response, so it cannot wait for a commit: requests go straight to the broker.
    /// <inheritdoc />
    public IScopedClientFactory ClientFactory =>
        scopedClientFactory ??= new ScopedClientFactory(new ClientFactory(new ScopedClientFactoryContext(clientFactory, provider)), null!);

    /// <inheritdoc />
    public object? GetService(Type serviceType) => provider.GetService(serviceType);

    /// <summary>Adds the message to the context.</summary>
    /// <exception cref="NotSupportedException">The message carries a delay. Delays belong on the row of what is delayed.</exception>
    /// <exception cref="MessageException">The message is larger than <see cref="OutboxOptions.MaxMessageLength"/>.</exception>
    public Task AddSend<T>(SendContext<T> context)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(context);
        if (context.Delay.HasValue)
        {
            throw new NotSupportedException(
                $"The outbox does not delay messages ({TypeCache<T>.ShortName}): write a due time to the database and let the scheduler send it.");
        }

        var body = context.Serializer.GetMessageBody(context).GetBytes();
        if (body.Length > options.Value.MaxMessageLength)
        {
            throw new MessageException(
                typeof(T), $"The message is {body.Length:N0} bytes long; Outbox:MaxMessageLength allows {options.Value.MaxMessageLength:N0}.");
        }

        var headers = context.Headers.GetAll().ToList();
        Dictionary<string, object>? properties = null;
        if (context is TransportSendContext<T> transport)
        {
            properties = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
            transport.WritePropertiesTo(properties);
        }

        var serializer = SystemTextJsonMessageSerializer.Instance;
        var message = new OutboxMessage
        {
            Id = Guid.CreateVersion7(),
            MessageId = context.MessageId,
            CorrelationId = context.CorrelationId,
            DestinationAddress = (context.DestinationAddress ?? throw new MessageException(typeof(T), "The message has no destination address.")).ToString(),
            ContentType = context.ContentType?.ToString() ?? context.Serialization.DefaultContentType.ToString(),
            Body = body,
            Headers = headers.Count > 0 ? serializer.SerializeDictionary(headers) : null,
            Properties = properties?.Count > 0 ? serializer.SerializeDictionary(properties) : null,
            ExpiresAt = context.TimeToLive is { } timeToLive ? relay.UtcNow + timeToLive : null,
            LeaseOwner = relay.LeaseOwnerForNewMessage(),
        };
        OutboxSession.Of(db).Add(db.Add(message));
        return Task.CompletedTask;
    }
}
