using System.Data.Common;
using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.Outbox;

/// <summary>Learns from Entity Framework when messages were saved and when their transaction committed, and hands them to the relay.</summary>
public sealed class OutboxInterceptor(OutboxRelay relay) : ISaveChangesInterceptor, IDbTransactionInterceptor
{
    /// <inheritdoc />
    public int SavedChanges(SaveChangesCompletedEventData eventData, int result)
    {
        ArgumentNullException.ThrowIfNull(eventData);
        Saved(eventData.Context);
        return result;
    }

    /// <inheritdoc />
    public ValueTask<int> SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(eventData);
        Saved(eventData.Context);
        return ValueTask.FromResult(result);
    }

    /// <inheritdoc />
    public void TransactionCommitted(DbTransaction transaction, TransactionEndEventData eventData) => Committed(eventData?.Context);

    /// <inheritdoc />
    public Task TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Committed(eventData?.Context);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public void TransactionRolledBack(DbTransaction transaction, TransactionEndEventData eventData) => Forget(eventData?.Context);

    /// <inheritdoc />
    public Task TransactionRolledBackAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Forget(eventData?.Context);
        return Task.CompletedTask;
    }

    // Which of the saved messages the savepoint took with it is not known here; the sweeper sends the others.
    /// <inheritdoc />
    public void RolledBackToSavepoint(DbTransaction transaction, TransactionEventData eventData) => Forget(eventData?.Context);

    /// <inheritdoc />
    public Task RolledBackToSavepointAsync(DbTransaction transaction, TransactionEventData eventData, CancellationToken cancellationToken = default)
    {
        Forget(eventData?.Context);
        return Task.CompletedTask;
    }

    // A commit that failed may have committed all the same.
    /// <inheritdoc />
    public void TransactionFailed(DbTransaction transaction, TransactionErrorEventData eventData) => Forget(eventData?.Context);

    /// <inheritdoc />
    public Task TransactionFailedAsync(DbTransaction transaction, TransactionErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Forget(eventData?.Context);
        return Task.CompletedTask;
    }

    // A transaction begun while messages of an earlier, externally ended one are remembered must not commit them by mistake.
    /// <inheritdoc />
    public DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
    {
        Forget(eventData?.Context);
        return result;
    }

    /// <inheritdoc />
    public ValueTask<DbTransaction> TransactionStartedAsync(
        DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        Forget(eventData?.Context);
        return ValueTask.FromResult(result);
    }

    /// <inheritdoc />
    public DbTransaction TransactionUsed(DbConnection connection, TransactionEventData eventData, DbTransaction result)
    {
        Forget(eventData?.Context);
        return result;
    }

    /// <inheritdoc />
    public ValueTask<DbTransaction> TransactionUsedAsync(
        DbConnection connection, TransactionEventData eventData, DbTransaction result, CancellationToken cancellationToken = default)
    {
        Forget(eventData?.Context);
        return ValueTask.FromResult(result);
    }

    private void Saved(DbContext? db)
    {
        if (OutboxSession.Find(db) is not { } session)
        {
            return;
        }

        session.Saved();
        var database = db!.Database;
        if (Transaction.Current is not null || database.GetEnlistedTransaction() is not null)
        {
            // Its outcome is decided elsewhere and not reported here.
            session.Forget();
        }
        else if (database.CurrentTransaction is null)
        {
            relay.HandOver(session.TakeCommitted());
        }
    }

    private void Committed(DbContext? db)
    {
        if (OutboxSession.Find(db) is { } session)
        {
            relay.HandOver(session.TakeCommitted());
        }
    }

    private static void Forget(DbContext? db) => OutboxSession.Find(db)?.Forget();
}
