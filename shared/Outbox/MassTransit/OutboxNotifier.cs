using System.Data.Common;
using System.Runtime.CompilerServices;
using MassTransit.Middleware.Outbox;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>
/// Wakes MassTransit's delivery when messages of <see cref="OutboxBusContext{TDbContext}"/> have committed. Otherwise it would find them
/// only at its next look.
/// </summary>
internal sealed class OutboxNotifier(IServiceProvider services) : ISaveChangesInterceptor, IDbTransactionInterceptor
{
    private static readonly ConditionalWeakTable<DbContext, object> Expecting = [];

    /// <summary>Records that messages were added to the context.</summary>
    public static void Expect(DbContext db) => Expecting.AddOrUpdate(db, db.ContextId);

    public ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData,
        int result,
        CancellationToken cancellationToken = default
    )
    {
        if (eventData.Context is { Database.CurrentTransaction: null } db)
        {
            Committed(db);
        }

        return ValueTask.FromResult(result);
    }

    public Task TransactionCommittedAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Committed(eventData.Context);
        return Task.CompletedTask;
    }

    private void Committed(DbContext? db)
    {
        if (db is not null && Expecting.Remove(db))
        {
            services.GetRequiredService<IBusOutboxNotification>().Delivered();
        }
    }
}
