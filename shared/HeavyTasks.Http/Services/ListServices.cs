using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Lists the living instances of every service with their pools and tasks, and the connections that they may open together.
/// </summary>
internal static class ListServices
{
    public static async Task<JsonOk<ServicesResponse>> HandleAsync(EngineContext engine, CancellationToken cancellationToken)
    {
        var db = engine.Db;
        var living = await db.LivingInstances.OrderBy(i => i.Service).ThenBy(i => i.Id).ToListAsync(cancellationToken);
        var budget = await PoolBudget.ReadAsync(db, cancellationToken);
        var services = living
            .GroupBy(i => i.Service)
            .Select(service => new ServiceResponse(
                service.Key,
                service.Sum(i => i.PoolMax),
                service.Sum(i => i.Slots),
                service.Sum(i => i.InFlight),
                [
                    .. service.Select(i => new ServiceInstanceResponse(
                        i.Id,
                        i.Host,
                        i.Version,
                        i.StartedAt,
                        i.SeenAt,
                        new PoolResponse(i.PoolMax, i.PoolInUse, i.PoolIdle, i.PoolWaiting),
                        i.Slots,
                        i.InFlight,
                        i.DrainedAt,
                        KindSlotCount.Read(i.KindSlots),
                        ConnectionHolder.Read(i.ConnectionHolders)
                    )),
                ]
            ));
        return JsonAnswer.Ok(
            new ServicesResponse(
                await Dialect.Current.ReadClockAsync(db, cancellationToken),
                [.. services],
                new ConnectionsResponse(budget.Max, budget.Reserved, budget.Available, budget.Pools, budget.Direct, budget.IsNearlySpent)
            )
        );
    }

    /// <param name="Now">The time on the database's clock, to compare other times with (UTC).</param>
    /// <param name="Services">One entry per service that has a living instance.</param>
    /// <param name="Connections">The connection budget of the database server.</param>
    internal sealed record ServicesResponse(DateTime Now, IReadOnlyList<ServiceResponse> Services, ConnectionsResponse Connections);

    internal sealed record ServiceResponse(
        string Name,
        int PoolMax,
        int Slots,
        int InFlight,
        IReadOnlyList<ServiceInstanceResponse> Instances
    );

    /// <param name="Pool">The pool as it was when the instance last renewed its lease (<paramref name="SeenAt"/>).</param>
    /// <param name="DrainedAt">Since when it begins no tasks because somebody told it to drain (UTC); null when it does not.</param>
    /// <param name="Kinds">The slots of each kind, of a worker.</param>
    /// <param name="ConnectionHolders">Who had held connections of the pool longest at that time, the longest first; at most five.</param>
    internal sealed record ServiceInstanceResponse(
        Guid Id,
        string Host,
        string Version,
        DateTime StartedAt,
        DateTime SeenAt,
        PoolResponse Pool,
        int Slots,
        int InFlight,
        DateTime? DrainedAt,
        IReadOnlyList<KindSlotCount> Kinds,
        IReadOnlyList<ConnectionHolder> ConnectionHolders
    );

    internal sealed record PoolResponse(int Max, int InUse, int Idle, int Waiting);

    internal sealed record ConnectionsResponse(int Max, int Reserved, int Available, int Pools, int Direct, bool NearlySpent);
}
