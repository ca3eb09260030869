using MassTransit;
using MassTransit.DependencyInjection;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Middleware.Outbox;
using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>
/// Publishes through the outbox of the scope's <see cref="PlatformDbContext"/>, also inside a consumer, where MassTransit's scoped
/// <c>IPublishEndpoint</c> is the message's context and sends at once.
/// </summary>
public sealed class OutboxPublishEndpoint(
    IBus bus, PlatformDbContext db, IBusOutboxNotification notification, Bind<IBus, IClientFactory> clientFactory, IServiceProvider provider) : IDisposable
{
    private EntityFrameworkScopedBusContext<IBus, PlatformDbContext>? context;

    /// <summary>Adds a message to the context; it is sent after the commit of the <c>SaveChanges</c> that carries it.</summary>
    public Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class
    {
        if (context is null || !HasPendingOutbox())
        {
            context?.Dispose();
            context = new EntityFrameworkScopedBusContext<IBus, PlatformDbContext>(bus, db, notification, clientFactory.Value, provider);
        }

        OutboxNotifier.Expect(db);
        return context.PublishEndpoint.Publish(message, cancellationToken);
    }

    /// <inheritdoc />
    public void Dispose() => context?.Dispose();

    // MassTransit's context goes on with its outbox as long as the row of it does not look saved. A change tracker that was cleared, as
    // after every checkpoint, takes that row away, and messages of an outbox whose row is delivered and gone would never be sent.
    private bool HasPendingOutbox()
    {
        var detects = db.ChangeTracker.AutoDetectChangesEnabled;
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        try
        {
            return db.ChangeTracker.Entries<OutboxState>().Any(e => e.State == EntityState.Added);
        }
        finally
        {
            db.ChangeTracker.AutoDetectChangesEnabled = detects;
        }
    }
}
