using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// Compares the connections that all living instances may open together with what the server accepts. A pool that stays within its own
/// limit can still fail when the sum over all instances exceeds <c>max_connections</c>.
/// </summary>
/// <param name="Max">The connections that the server accepts.</param>
/// <param name="Reserved">Those that the server reserves for administrators.</param>
/// <param name="Pools">The sum of the pools of all living instances.</param>
/// <param name="Direct">Their connections outside the pools: one for each liveness lock.</param>
internal sealed record PoolBudget(int Max, int Reserved, int Pools, int Direct)
{
    /// <summary>The share of the available connections above which the budget counts as nearly spent: 90 %.</summary>
    public const double WarningShare = 0.9;

    /// <summary>The connections that the pools can share.</summary>
    public int Available => Max - Reserved;

    /// <summary>The connections that the pools and locks may take together.</summary>
    public int Claimed => Pools + Direct;

    /// <summary>Whether the budget is nearly spent, so that one more instance may be one too many.</summary>
    public bool IsNearlySpent => Claimed > Available * WarningShare;

    /// <summary>Reads the living instances and the server's limit.</summary>
    public static async Task<PoolBudget> ReadAsync(DbContext db, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);
        var limit = await Dialect.Current.ReadConnectionLimitAsync(db, cancellationToken);
        var living = await db.LivingInstances.Select(i => new { i.PoolMax, i.HoldsLock }).ToListAsync(cancellationToken);
        return new PoolBudget(limit.Max, limit.Reserved, living.Sum(i => i.PoolMax), living.Count(i => i.HoldsLock));
    }
}
