using MassTransit;
using MassTransit.DependencyInjection;
using MassTransit.EntityFrameworkCoreIntegration;
using MassTransit.Middleware.Outbox;
using Microsoft.EntityFrameworkCore;

namespace Platform.Outbox;

/// <summary>
/// Publishes through the outbox of the scope's context, also inside a consumer, where MassTransit's scoped <c>IPublishEndpoint</c> is the
/// message's context and sends at once.
/// </summary>
/// <typeparam name="TDbContext">The context whose <c>SaveChanges</c> carries the messages.</typeparam>
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

    /// <summary>Adds messages to the context; they are sent after the commit of the <c>SaveChanges</c> that carries them.</summary>
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
