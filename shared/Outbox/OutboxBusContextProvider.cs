using MassTransit;
using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>
/// Chooses what <c>IPublishEndpoint</c> means in a scope: the outbox, or, in the scope of a message being consumed, that message's
/// context, as MassTransit's own outbox does. A consumer that wants the outbox asks for <see cref="OutboxBusContext{TDbContext}"/>.
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
