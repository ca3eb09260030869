using System.Data;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>Registers MassTransit's own Entity Framework outbox through the same methods as ours.</summary>
public static class OutboxRegistration
{
    /// <summary>
    /// Makes <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> of every scope outside a consumer write to MassTransit's outbox on
    /// <typeparamref name="TDbContext"/>, and runs its delivery, with the bus <see cref="IPublishBus"/> if that is registered.
    /// </summary>
    public static void AddOutbox<TDbContext>(this IBusRegistrationConfigurator bus)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddEntityFrameworkOutbox<TDbContext>(outbox =>
        {
            outbox.UseMySql();

            // At the default level, REPEATABLE READ, the delivery and the writers deadlock.
            outbox.IsolationLevel = IsolationLevel.ReadCommitted;

            // The delivery is notified of commits of this process; the delay is for messages that another process left behind.
            outbox.QueryDelay = TimeSpan.FromSeconds(1);
            outbox.DisableInboxCleanupService();
            outbox.UseBusOutbox(delivery => delivery.DisableDeliveryService());
        });
        bus.AddSingleton(typeof(BusConnection<>));
        bus.AddSingleton<OutboxNotifier>();
        bus.AddScoped<OutboxBusContext<TDbContext>>();
        bus.AddHostedService(provider =>
            ActivatorUtilities.CreateInstance<BusOutboxDeliveryService<TDbContext>>(
                provider,
                DeliveryBus.Over(BusOf(provider), provider.GetRequiredService<TimeProvider>())
            )
        );
    }

    /// <summary>Lets the delivery learn of the commits of a context.</summary>
    public static DbContextOptionsBuilder UseOutbox(this DbContextOptionsBuilder builder, IServiceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddInterceptors(provider.GetRequiredService<OutboxNotifier>());
    }

    private static IBusControl BusOf(IServiceProvider provider) =>
        provider.GetService<IBusInstance<IPublishBus>>()?.BusControl ?? provider.GetRequiredService<IBusControl>();
}
