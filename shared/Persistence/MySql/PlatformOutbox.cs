using System.Data;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Persistence;

/// <summary>The outbox as part of the bus.</summary>
public static class PlatformOutbox
{
    /// <summary>
    /// Makes <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> of every scope outside a consumer write to MassTransit's own Entity
    /// Framework outbox, and runs its delivery.
    /// </summary>
    public static void AddPlatformOutbox(this IBusRegistrationConfigurator bus)
    {
        bus.AddEntityFrameworkOutbox<PlatformDbContext>(outbox =>
        {
            outbox.UseMySql();

            // At the default, REPEATABLE READ, the delivery and the writers deadlock.
            outbox.IsolationLevel = IsolationLevel.ReadCommitted;

            // Commits of this process are told to the delivery; this is for what another process left behind.
            outbox.QueryDelay = TimeSpan.FromSeconds(1);
            outbox.DisableInboxCleanupService();
            outbox.UseBusOutbox(delivery => delivery.DisableDeliveryService());
        });
        bus.AddHostedService(provider => ActivatorUtilities.CreateInstance<BusOutboxDeliveryService<PlatformDbContext>>(
            provider, DeliveryBus.Over(provider.GetRequiredService<IBusControl>(), provider.GetRequiredService<TimeProvider>())));
    }
}
