using MassTransit;
using MassTransit.Clients;
using MassTransit.Context;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Platform.Outbox;

/// <summary>
/// What a scope's <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> write to: every message becomes a tracked
/// <see cref="OutboxMessage"/> of the scope's <see cref="DbContext"/> and is saved, or not, together with everything else.
/// </summary>
/// <typeparam name="TDbContext">The context whose <c>SaveChanges</c> carries the messages.</typeparam>
public sealed class OutboxBusContext<TDbContext> : ScopedBusContext, OutboxSendContext
    where TDbContext : DbContext
{
    private readonly TDbContext db;
    private readonly IOptions<OutboxOptions> options;
    private readonly TimeProvider time;
    private readonly IServiceProvider provider;
    private readonly Lazy<IScopedClientFactory> scopedClientFactory;

    internal OutboxBusContext(
        IBus bus,
        PublishedTypes publishedTypes,
        TDbContext db,
        IOptions<OutboxOptions> options,
        TimeProvider time,
        IClientFactory clientFactory,
        IServiceProvider provider
    )
    {
        this.db = db;
        this.options = options;
        this.time = time;
        this.provider = provider;
        SendEndpointProvider = new OutboxSendEndpointProvider(this, bus);
        PublishEndpoint = new PublishEndpoint(new OutboxPublishEndpointProvider(this, publishedTypes));

        // A request waits for its response, so it cannot wait for a commit: requests go straight to the broker.
        scopedClientFactory = new(() =>
            new ScopedClientFactory(new ClientFactory(new ScopedClientFactoryContext(clientFactory, provider)), null!)
        );
    }

    /// <inheritdoc />
    public ISendEndpointProvider SendEndpointProvider { get; }

    /// <inheritdoc />
    public IPublishEndpoint PublishEndpoint { get; }

    /// <inheritdoc />
    public IScopedClientFactory ClientFactory => scopedClientFactory.Value;

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
                $"The outbox does not delay messages ({TypeCache<T>.ShortName}): write a due time to the database and let the scheduler send it."
            );
        }

        // Before the headers are read: a raw serializer writes some.
        var body = context.Serializer.GetMessageBody(context).GetBytes();
        if (body.Length > options.Value.MaxMessageLength)
        {
            throw new MessageException(
                typeof(T),
                $"The message is {body.Length:N0} bytes long; Outbox:MaxMessageLength allows {options.Value.MaxMessageLength:N0}."
            );
        }

        var properties = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        (context as TransportSendContext)?.WritePropertiesTo(properties);
        var headerValues = StoredValues.Keep(context.Headers.GetAll());
        var propertyValues = StoredValues.Keep(properties);
        OutboxSession
            .Of(db)
            .Add(
                db,
                new OutboxMessage
                {
                    Id = Guid.CreateVersion7(),
                    MessageId = context.MessageId,
                    CorrelationId = context.CorrelationId,
                    RoutingKey = context.RoutingKey() is { Length: > 0 } routingKey ? routingKey : null,
                    DestinationAddress = (
                        context.DestinationAddress ?? throw new MessageException(typeof(T), "The message has no destination address.")
                    ).ToString(),
                    ContentType = (context.ContentType ?? context.Serialization.DefaultContentType).ToString(),
                    Body = body,
                    Headers = StoredValues.Serialize(headerValues),
                    HeaderValues = headerValues,
                    Properties = StoredValues.Serialize(propertyValues),
                    PropertyValues = propertyValues,
                    ExpiresAt = context.TimeToLive is { } timeToLive ? time.GetUtcNow().UtcDateTime + timeToLive : null,
                }
            );
        return Task.CompletedTask;
    }
}
