using MassTransit;
using MassTransit.DependencyInjection;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Middleware.Outbox;
using Microsoft.EntityFrameworkCore;

namespace Platform.Outbox;

/// <summary>
/// Publishes through the outbox of the scope's context. Needed inside a consumer, where MassTransit's scoped <c>IPublishEndpoint</c> is the
/// message's own context and sends at once.
/// </summary>
/// <typeparam name="TDbContext">The context whose <c>SaveChanges</c> saves the messages.</typeparam>
public sealed class OutboxBusContext<TDbContext>(
    IBus bus,
    TDbContext db,
    IBusOutboxNotification notification,
    Bind<IBus, IClientFactory> clientFactory,
    IServiceProvider provider
) : IDisposable
    where TDbContext : DbContext
{
    private EntityFrameworkScopedBusContext<IBus, TDbContext>? context;

    /// <summary>Adds messages to the context. They are sent when the <c>SaveChanges</c> that saves them has committed.</summary>
    public IPublishEndpoint PublishEndpoint
    {
        get
        {
            if (context is null || !HasPendingOutbox())
            {
                context?.Dispose();
                context = new EntityFrameworkScopedBusContext<IBus, TDbContext>(bus, db, notification, clientFactory.Value, provider);
            }

            OutboxNotifier.Expect(db);
            return context.PublishEndpoint;
        }
    }

    /// <inheritdoc />
    public void Dispose() => context?.Dispose();

    // MassTransit's context goes on with its outbox until the outbox's row looks saved. When the change tracker is cleared, as after every
    // checkpoint, that row disappears, and messages of an outbox whose row has been delivered and deleted would never be sent.
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
