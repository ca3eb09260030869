using System.Runtime.CompilerServices;
using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Platform.Outbox;

/// <summary>
/// The messages of one <see cref="DbContext"/> between Publish and commit. Invariant: a message is handed over for sending only after the
/// database has said that the transaction which inserted it has committed.
/// </summary>
internal sealed class OutboxSession
{
    private static readonly ConditionalWeakTable<DbContext, OutboxSession> Sessions = [];

    private readonly List<EntityEntry<OutboxMessage>> tracked = [];
    private List<(OutboxMessage Message, long? LeasedAt)> saved = [];
    private Guid? savedIn;
    private Guid? foreignTransaction;
    private long savingSince;

    public static OutboxSession Of(DbContext db) => Sessions.GetOrCreateValue(db);

    public static OutboxSession? Find(DbContext? db) => db is not null && Sessions.TryGetValue(db, out var session) ? session : null;

    public void Add(DbContext db, OutboxMessage message)
    {
        // It is common to publish several messages in parallel, and elsewhere it does no harm; a change tracker would break.
        lock (tracked)
        {
            // The change tracker was cleared and forgot these messages: they will never be saved.
            tracked.RemoveAll(e => e.State == EntityState.Detached);
            tracked.Add(db.Add(message));
        }
    }

    /// <summary>Before SaveChanges: leases the messages that it is going to insert, if this process will learn of the commit.</summary>
    public void Saving(DbContext db, OutboxRelay relay)
    {
        Untrack();
        savingSince = relay.GetTimestamp();
        var learnsOfCommit =
            Transaction.Current is null
            && db.Database.GetEnlistedTransaction() is null
            && (foreignTransaction is null || db.Database.CurrentTransaction?.TransactionId != foreignTransaction);
        var room = learnsOfCommit ? relay.Room : 0;
        foreach (var message in tracked.Select(e => e.Entity))
        {
            room -= CommittedMessages.LengthOf(message);
            message.LeaseOwner = room >= 0 ? relay.Id : null;
        }
    }

    /// <summary>After SaveChanges: the inserted messages count when their transaction has committed, or at once if there is none.</summary>
    public void Saved(DbContext db, OutboxRelay relay)
    {
        var transaction = db.Database.CurrentTransaction?.TransactionId;
        if (transaction != savedIn)
        {
            // These messages are from an earlier transaction that ended without a commit, or without telling.
            saved.Clear();
            savedIn = transaction;
        }

        foreach (var entry in tracked.Where(e => e.Entity.LeaseOwner == relay.Id))
        {
            // An entry that is still Added was not saved, or was saved and the caller accepts the changes himself. Nobody knows which.
            saved.Add((entry.Entity, entry.State == EntityState.Unchanged ? savingSince : null));
        }

        Untrack();
        if (transaction is null)
        {
            HandOver(relay);
        }
    }

    public void Committed(Guid transaction, OutboxRelay relay)
    {
        if (transaction == savedIn)
        {
            HandOver(relay);
        }
    }

    public void RolledBack(Guid transaction)
    {
        if (transaction == savedIn)
        {
            saved.Clear();
        }
    }

    /// <summary>After a rollback to a savepoint: some of the saved messages may be gone, but it is unknown which.</summary>
    public void PartlyRolledBack() => saved = saved.ConvertAll(m => (m.Message, (long?)null));

    /// <summary>After a failed commit, which may have committed all the same.</summary>
    public void CommitFailed(Guid transaction, OutboxRelay relay)
    {
        PartlyRolledBack();
        Committed(transaction, relay);
    }

    /// <summary>Joins a transaction of somebody else, who may commit it without Entity Framework noticing.</summary>
    public void Joined(Guid transaction) => foreignTransaction = transaction;

    private void HandOver(OutboxRelay relay)
    {
        foreach (var (message, leasedAt) in saved)
        {
            relay.HandOver(message, leasedAt);
        }

        saved.Clear();
    }

    /// <summary>Stops following messages that were inserted or will never be.</summary>
    private void Untrack()
    {
        foreach (var entry in tracked.Where(e => e.State == EntityState.Unchanged))
        {
            entry.State = EntityState.Detached;
        }

        tracked.RemoveAll(e => e.State == EntityState.Detached);
    }
}
