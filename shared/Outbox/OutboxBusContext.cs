using MassTransit;
using MassTransit.Clients;
using MassTransit.Context;
using MassTransit.DependencyInjection;
using MassTransit.Middleware;
using MassTransit.Middleware.Outbox;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Platform.Outbox;

/// <summary>
/// The target of a scope's <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c>: every message becomes a tracked
/// <see cref="OutboxMessage"/> of the scope's <see cref="DbContext"/>, and <c>SaveChanges</c> saves it together with everything else, or
/// saves nothing.
/// </summary>
/// <typeparam name="TDbContext">The context whose <c>SaveChanges</c> saves the messages.</typeparam>
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

        // A request cannot wait for a commit, because its caller waits for the response. So requests go straight to the broker.
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
    /// <exception cref="NotSupportedException">The message has a delay. Store a due time in the row of what is delayed instead.</exception>
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

        // The body comes before the headers are read, because a raw serializer adds headers.
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

/// <summary>
/// Chooses what <c>IPublishEndpoint</c> means in a scope: the outbox, or, in the scope of a consumed message, that message's context, as
/// MassTransit's own outbox does. A consumer that needs the outbox injects <see cref="OutboxBusContext{TDbContext}"/>.
/// </summary>
internal sealed class OutboxBusContextProvider<TDbContext>(
    Bind<IBus, IClientFactory> clientFactory,
    Bind<IBus, IScopedConsumeContextProvider> busConsumeContext,
    IScopedConsumeContextProvider consumeContext,
    IServiceProvider provider
) : IScopedBusContextProvider<IBus>
    where TDbContext : DbContext
{
    public ScopedBusContext Context { get; } =
        busConsumeContext.Value.HasContext ? new ConsumeContextScopedBusContext(busConsumeContext.Value.GetContext(), clientFactory.Value)
        : consumeContext.HasContext ? new ConsumeContextScopedBusContext(consumeContext.GetContext(), clientFactory.Value)
        : provider.GetRequiredService<OutboxBusContext<TDbContext>>();
}
