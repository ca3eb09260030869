using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Outbox;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>The living processes with their pools, the budget of connections, and what waits in the outbox.</summary>
/// <param name="Instances">The living processes, by service.</param>
/// <param name="Budget">The connections that they may open together, and how many the server takes.</param>
/// <param name="Outbox">What waits for the broker.</param>
/// <param name="Now">The time on the database's clock (UTC).</param>
internal sealed record SystemFigures(IReadOnlyList<InstanceFigure> Instances, PoolBudget Budget, OutboxFigure Outbox, DateTime Now)
{
    /// <summary>How many tasks of a kind all workers may run at once, without those that drain.</summary>
    public int SlotsOf(string kind) =>
        Instances.Where(i => i.Row.DrainedAt is null).SelectMany(i => i.Kinds).Where(k => k.Kind == kind).Sum(k => k.Slots);
}

/// <summary>One process.</summary>
/// <param name="Row">Its row.</param>
/// <param name="Holders">Who holds its connections longest.</param>
/// <param name="Kinds">The slots of each kind, of a worker.</param>
internal sealed record InstanceFigure(Instance Row, IReadOnlyList<ConnectionHolder> Holders, IReadOnlyList<KindSlotCount> Kinds)
{
    // The most that are shown.
    private const int Max = 200;

    /// <summary>Reads the living processes, by service.</summary>
    public static async Task<IReadOnlyList<InstanceFigure>> ReadAsync(DbContext db, CancellationToken cancellationToken)
    {
        var living = await db.LivingInstances.OrderBy(i => i.Service).ThenBy(i => i.Id).Take(Max).ToListAsync(cancellationToken);
        return [.. living.Select(i => new InstanceFigure(i, ConnectionHolder.Read(i.ConnectionHolders), KindSlotCount.Read(i.KindSlots)))];
    }

    /// <summary>Whether callers wait because the pool has no more connections, and not only because one is being opened.</summary>
    public bool IsExhausted => Row.PoolWaiting > 0 && Row.PoolInUse + Row.PoolIdle >= Row.PoolMax;
}

/// <summary>What waits in the outbox.</summary>
/// <param name="Waiting">Messages that the broker has not confirmed; above <see cref="KindFigures.MaxCount"/>: at least that many.</param>
/// <param name="OldestAt">When the oldest of them was published (UTC).</param>
/// <param name="SetAside">Messages that nothing can send.</param>
internal sealed record OutboxFigure(long Waiting, DateTime? OldestAt, long SetAside);

/// <summary>Reads the figures of the system.</summary>
internal sealed record SystemFiguresQuery : ILiveQuery<SystemFigures>
{
    public async Task<SystemFigures> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var instances = await InstanceFigure.ReadAsync(db, cancellationToken);
        var budget = await PoolBudget.ReadAsync(db, cancellationToken);
        var outbox = await ReadOutboxAsync(db, cancellationToken);
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
        return new SystemFigures(instances, budget, outbox, now);
    }

    private static async Task<OutboxFigure> ReadOutboxAsync(DbContext db, CancellationToken cancellationToken)
    {
        var messages = db.Set<OutboxMessage>().AsNoTracking();
        var oldest = await messages
            .Where(m => m.Error == null)
            .OrderBy(m => m.Id)
            .Select(m => (Guid?)m.Id)
            .FirstOrDefaultAsync(cancellationToken);
        return new OutboxFigure(
            await messages.Where(m => m.Error == null).Take(KindFigures.MaxCount + 1).CountAsync(cancellationToken),
            oldest is { } id ? OutboxMetrics.PublishedAt(id).UtcDateTime : null,
            await messages.Where(m => m.Error != null).Take(KindFigures.MaxCount + 1).CountAsync(cancellationToken)
        );
    }
}
