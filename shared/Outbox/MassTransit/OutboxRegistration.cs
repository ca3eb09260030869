using System.Data;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>Registration of MassTransit's own Entity Framework outbox behind the calls of ours.</summary>
public static class OutboxRegistration
{
    /// <summary>
    /// Makes <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> of every scope outside a consumer write to MassTransit's outbox on
    /// <typeparamref name="TDbContext"/>, and runs its delivery, with the bus <see cref="IPublishBus"/> where there is one.
    /// </summary>
    public static void AddOutbox<TDbContext>(this IBusRegistrationConfigurator bus)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(bus);
        bus.AddEntityFrameworkOutbox<TDbContext>(outbox =>
        {
            outbox.UseMySql();

            // At the default, REPEATABLE READ, the delivery and the writers deadlock.
            outbox.IsolationLevel = IsolationLevel.ReadCommitted;

            // Commits of this process are told to the delivery; this is for what another process left behind.
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

    /// <summary>Lets the delivery learn of commits of a context.</summary>
    public static DbContextOptionsBuilder UseOutbox(this DbContextOptionsBuilder builder, IServiceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddInterceptors(provider.GetRequiredService<OutboxNotifier>());
    }

    private static IBusControl BusOf(IServiceProvider provider) =>
        provider.GetService<IBusInstance<IPublishBus>>()?.BusControl ?? provider.GetRequiredService<IBusControl>();
}
