using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Services;

/// <summary>The living instances of every service with their pools and tasks, and what they may open together.</summary>
internal static class ListServices
{
    public static async Task<Ok<Response>> HandleAsync(PlatformDbContext db, CancellationToken cancellationToken)
    {
        var living = await db
            .Instances.AsNoTracking()
            .Where(i => i.LeaseUntil > DatabaseClock.UtcNow())
            .OrderBy(i => i.Service)
            .ThenBy(i => i.Id)
            .ToListAsync(cancellationToken);
        var budget = await PoolBudget.ReadAsync(db, cancellationToken);
        var services = living
            .GroupBy(i => i.Service)
            .Select(service => new Service(
                service.Key,
                service.Sum(i => i.PoolMax),
                service.Sum(i => i.Slots),
                service.Sum(i => i.InFlight),
                [
                    .. service.Select(i => new ServiceInstance(
                        i.Id,
                        i.Host,
                        i.Version,
                        i.StartedAt,
                        i.SeenAt,
                        new Pool(i.PoolMax, i.PoolInUse, i.PoolIdle, i.PoolWaiting),
                        i.Slots,
                        i.InFlight
                    )),
                ]
            ));
        return TypedResults.Ok(
            new Response(
                [.. services],
                new Connections(budget.Max, budget.Reserved, budget.Available, budget.Pools, budget.Direct, budget.IsNearlySpent)
            )
        );
    }

    /// <param name="Services">One entry per service that has a living instance.</param>
    /// <param name="Connections">The budget of the database server.</param>
    internal sealed record Response(IReadOnlyList<Service> Services, Connections Connections);

    internal sealed record Service(string Name, int PoolMax, int Slots, int InFlight, IReadOnlyList<ServiceInstance> Instances);

    internal sealed record ServiceInstance(
        Guid Id,
        string Host,
        string Version,
        DateTime StartedAt,
        DateTime SeenAt,
        Pool Pool,
        int Slots,
        int InFlight
    );

    internal sealed record Pool(int Max, int InUse, int Idle, int Waiting);

    internal sealed record Connections(int Max, int Reserved, int Available, int Pools, int Direct, bool NearlySpent);
}
