using System.Runtime.CompilerServices;
using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Platform.Outbox;

/// <summary>
/// The messages of one <see cref="DbContext"/> between Publish and commit. Invariant: a message is handed over for sending only when
/// the database said that the transaction which inserted it has committed.
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
        // Publishing several messages at once is common and harmless elsewhere; a change tracker would not survive it.
        lock (tracked)
        {
            // A change tracker that was cleared forgot its messages: they will never be saved.
            tracked.RemoveAll(e => e.State == EntityState.Detached);
            tracked.Add(db.Add(message));
        }
    }

    /// <summary>Before SaveChanges: leases what it is going to insert, where this process will learn of the commit.</summary>
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

    /// <summary>After SaveChanges: what it inserted counts once its transaction has committed, and at once where there is none.</summary>
    public void Saved(DbContext db, OutboxRelay relay)
    {
        var transaction = db.Database.CurrentTransaction?.TransactionId;
        if (transaction != savedIn)
        {
            // What an earlier transaction inserted: it ended without a commit, or without telling.
            saved.Clear();
            savedIn = transaction;
        }

        foreach (var entry in tracked.Where(e => e.Entity.LeaseOwner == relay.Id))
        {
            // Still Added: the caller accepts the changes himself, or somebody prevented the save. Nobody knows which.
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

    /// <summary>Rolled back to a savepoint: some of the saved messages may be gone, and which is not told.</summary>
    public void PartlyRolledBack() => saved = saved.ConvertAll(m => (m.Message, (long?)null));

    /// <summary>A commit that failed may have committed all the same.</summary>
    public void CommitFailed(Guid transaction, OutboxRelay relay)
    {
        PartlyRolledBack();
        Committed(transaction, relay);
    }

    /// <summary>Somebody else's transaction: its owner may commit it without Entity Framework noticing.</summary>
    public void Joined(Guid transaction) => foreignTransaction = transaction;

    private void HandOver(OutboxRelay relay)
    {
        foreach (var (message, leasedAt) in saved)
        {
            relay.HandOver(message, leasedAt);
        }

        saved.Clear();
    }

    /// <summary>What was inserted, or will never be, is no longer followed.</summary>
    private void Untrack()
    {
        foreach (var entry in tracked.Where(e => e.State == EntityState.Unchanged))
        {
            entry.State = EntityState.Detached;
        }

        tracked.RemoveAll(e => e.State == EntityState.Detached);
    }
}
