using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;

namespace Platform.Outbox;

/// <summary>
/// The messages of one <see cref="DbContext"/> between Publish and commit. Invariant: a message is handed over only when the
/// database said that the transaction which inserted it has committed; in every other case its row, if it exists, is the sweeper's.
/// </summary>
internal sealed class OutboxSession
{
    private static readonly ConditionalWeakTable<DbContext, OutboxSession> Sessions = [];

    private readonly List<EntityEntry<OutboxMessage>> added = [];
    private readonly List<OutboxMessage> saved = [];

    public static OutboxSession Of(DbContext db) => Sessions.GetOrCreateValue(db);

    public static OutboxSession? Find(DbContext? db) => db is not null && Sessions.TryGetValue(db, out var session) ? session : null;

    public void Add(EntityEntry<OutboxMessage> entry)
    {
        // A change tracker that was cleared forgot its messages: they will never be saved.
        added.RemoveAll(e => e.State == EntityState.Detached);
        added.Add(entry);
    }

    /// <summary>After a successful SaveChanges: what it inserted is no longer tracked; it counts once its transaction has committed.</summary>
    public void Saved()
    {
        foreach (var entry in added)
        {
            if (entry.State == EntityState.Unchanged)
            {
                saved.Add(entry.Entity);
                entry.State = EntityState.Detached;
            }
        }

        added.RemoveAll(e => e.State == EntityState.Detached);
    }

    /// <summary>The transaction did not commit, or nobody knows whether it did.</summary>
    public void Forget() => saved.Clear();

    /// <summary>The transaction has committed.</summary>
    public IReadOnlyList<OutboxMessage> TakeCommitted()
    {
        if (saved.Count == 0)
        {
            return [];
        }

        var committed = saved.ToArray();
        saved.Clear();
        return committed;
    }
}
