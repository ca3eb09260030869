using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// What all living instances may open together, against what the server takes. A pool that is within its own limit can still fail
/// when the sum over all instances is more than <c>max_connections</c>.
/// </summary>
/// <param name="Max">Connections the server takes.</param>
/// <param name="Reserved">Those it keeps for administrators.</param>
/// <param name="Pools">Sum of the pools of all living instances.</param>
/// <param name="Direct">Their connections beside the pools: one for each liveness lock.</param>
internal sealed record PoolBudget(int Max, int Reserved, int Pools, int Direct)
{
    /// <summary>Share of the available connections from which on the budget counts as nearly spent: 90 %.</summary>
    public const double WarningShare = 0.9;

    /// <summary>What the pools can share.</summary>
    public int Available => Max - Reserved;

    /// <summary>What they may take together.</summary>
    public int Claimed => Pools + Direct;

    /// <summary>Whether one more instance may be one too many.</summary>
    public bool IsNearlySpent => Claimed > Available * WarningShare;

    /// <summary>Reads the living instances and the server's limit.</summary>
    public static async Task<PoolBudget> ReadAsync(DbContext db, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);
        var limit = await ConnectionLimit.ReadAsync(db.Database, cancellationToken);
        var living = await db
            .Instances.AsNoTracking()
            .Where(i => i.LeaseUntil > DatabaseClock.UtcNow())
            .Select(i => new { i.PoolMax, i.HoldsLock })
            .ToListAsync(cancellationToken);
        return new PoolBudget(limit.Max, limit.Reserved, living.Sum(i => i.PoolMax), living.Count(i => i.HoldsLock));
    }
}
