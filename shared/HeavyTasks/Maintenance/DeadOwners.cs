using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// Tells which owners of running tasks are dead: no row, lease ended, or a liveness lock that was found free on two looks in a row
/// (a restart of the database frees every lock for a moment). Taking over too early costs an attempt, never correctness: the fence holds.
/// </summary>
internal sealed class DeadOwners(InstanceIdentity instance)
{
    private HashSet<Guid> seenFree = [];

    public async Task<IReadOnlyList<(Guid Owner, string Why)>> FindAsync(DbContext db, CancellationToken cancellationToken)
    {
        var owners = await db
            .HeavyTasks.AsNoTracking()
            .Where(t => t.Owner != null && t.Owner != instance.Id && t.Status == HeavyTaskStatus.Running)
            .Select(t => t.Owner!.Value)
            .Distinct()
            .ToListAsync(cancellationToken);
        if (owners.Count == 0)
        {
            seenFree = [];
            return [];
        }

        var alive = await db
            .Instances.AsNoTracking()
            .Where(i => owners.Contains(i.Id) && i.LeaseUntil > DatabaseClock.UtcNow())
            .Select(i => new { i.Id, i.HoldsLock })
            .ToDictionaryAsync(i => i.Id, i => i.HoldsLock, cancellationToken);
        var locking = alive.Where(i => i.Value).Select(i => i.Key).ToArray();
        var free = locking.Length == 0 ? [] : await LivenessLock.FindFreeAsync(db, locking, cancellationToken);
        var dead = owners.Where(o => !alive.ContainsKey(o)).Select(o => (o, "The lease of its worker ended.")).ToList();
        dead.AddRange(free.Where(seenFree.Contains).Select(o => (o, "Its worker died.")));
        seenFree = free;
        return dead;
    }
}
