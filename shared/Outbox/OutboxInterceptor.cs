using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.Outbox;

/// <summary>Observes in Entity Framework when messages are saved and when their transaction ends.</summary>
internal sealed class OutboxInterceptor(OutboxRelay relay) : ISaveChangesInterceptor, IDbTransactionInterceptor
{
    public InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Saving(eventData?.Context);
        return result;
    }

    public ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default
    )
    {
        Saving(eventData?.Context);
        return ValueTask.FromResult(result);
    }

    public int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        Saved(eventData?.Context);
        return result;
    }

    public ValueTask<int> SavedChangesAsync(
        SaveChangesCompletedEventData eventData,
        int result,
        CancellationToken cancellationToken = default
    )
    {
        Saved(eventData?.Context);
        return ValueTask.FromResult(result);
    }

    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) =>
        Of(eventData)?.Committed(eventData.TransactionId, relay);

    public Task TransactionCommittedAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Of(eventData)?.Committed(eventData.TransactionId, relay);
        return Task.CompletedTask;
    }

    public void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) =>
        Of(eventData)?.RolledBack(eventData.TransactionId);

    public Task TransactionRolledBackAsync(
        DbTransaction transaction,
        TransactionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Of(eventData)?.RolledBack(eventData.TransactionId);
        return Task.CompletedTask;
    }

    public void RolledBackToSavepoint(DbTransaction transaction, TransactionEventData eventData) => Of(eventData)?.PartlyRolledBack();

    public Task RolledBackToSavepointAsync(
        DbTransaction transaction,
        TransactionEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Of(eventData)?.PartlyRolledBack();
        return Task.CompletedTask;
    }

    public void TransactionFailed(DbTransaction transaction, TransactionErrorEventData eventData) => Failed(eventData);

    public Task TransactionFailedAsync(
        DbTransaction transaction,
        TransactionErrorEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Failed(eventData);
        return Task.CompletedTask;
    }

    public DbTransaction TransactionUsed(DbConnection connection, TransactionEventData eventData, DbTransaction result)
    {
        Joined(eventData);
        return result;
    }

    public ValueTask<DbTransaction> TransactionUsedAsync(
        DbConnection connection,
        TransactionEventData eventData,
        DbTransaction result,
        CancellationToken cancellationToken = default
    )
    {
        Joined(eventData);
        return ValueTask.FromResult(result);
    }

    private static OutboxSession? Of(DbContextEventData? eventData) => OutboxSession.Find(eventData?.Context);

    private void Saving(DbContext? db) => OutboxSession.Find(db)?.Saving(db!, relay);

    private void Saved(DbContext? db) => OutboxSession.Find(db)?.Saved(db!, relay);

    private void Failed(TransactionErrorEventData eventData)
    {
        if (eventData is { Action: "Commit" })
        {
            Of(eventData)?.CommitFailed(eventData.TransactionId, relay);
        }
    }

    // The session is created if it does not exist, because the transaction may be joined before the first message is published.
    private static void Joined(TransactionEventData? eventData)
    {
        if (eventData?.Context is { } db)
        {
            OutboxSession.Of(db).Joined(eventData.TransactionId);
        }
    }
}
