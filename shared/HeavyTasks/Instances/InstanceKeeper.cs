using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Keeps the row of this process in <c>instances</c>: renews its lease with one small update every 5 s, on the database's clock, and
/// deletes the row at the end. The lease belongs to the process and not to its tasks, so a lock on a task's row cannot delay the renewal.
/// </summary>
internal sealed partial class InstanceKeeper(
    InstanceIdentity instance,
    DatabasePool pool,
    ConnectionHolders holders,
    DatabaseStart start,
    IServiceScopeFactory scopes,
    IServiceProvider services,
    TimeProvider time,
    ILogger<InstanceKeeper> logger
) : PollingLoop(RenewInterval, time, logger)
{
    /// <summary>How often the lease is renewed: 5 s.</summary>
    public static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(5);

    /// <summary>How long a process counts as alive after a renewal: 30 s.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the row is written; before that, this process must not claim anything.</summary>
    public Task Written => written.Task;

    /// <summary>Writes the row.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await start.RunAsync(() => RenewAsync(cancellationToken), cancellationToken);
        written.TrySetResult();
        await base.StartAsync(cancellationToken);
    }

    /// <summary>Deletes the row. By now this process owns no tasks; if it still does, any worker may take them over.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            await db.Instances.Where(i => i.Id == instance.Id).ExecuteDeleteAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            NotDeleted(logger, exception);
        }
    }

    /// <inheritdoc />
    protected override Task RunRoundAsync(CancellationToken stoppingToken) => RenewAsync(stoppingToken);

    /// <summary>Renews the lease now, for example because the reported load has changed.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var (inUse, idle, waiting) = pool.Read();
        var longest = ConnectionHolder.Write(holders, Time);
        var load = services.GetService<IInstanceLoad>();
        var (slots, inFlight, holdsLock) = (load?.Slots ?? 0, load?.InFlight ?? 0, load?.HoldsLock ?? false);
        var kindSlots = KindSlotCount.Write(load?.KindSlots);
        var seconds = Lease.TotalSeconds;
        var renewed = await db
            .Instances.Where(i => i.Id == instance.Id)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(i => i.SeenAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(i => i.LeaseUntil, _ => DatabaseClock.UtcNow().AddSeconds(seconds))
                        .SetProperty(i => i.HoldsLock, holdsLock)
                        .SetProperty(i => i.PoolMax, pool.Max)
                        .SetProperty(i => i.PoolInUse, inUse)
                        .SetProperty(i => i.PoolIdle, idle)
                        .SetProperty(i => i.PoolWaiting, waiting)
                        .SetProperty(i => i.ConnectionHolders, longest)
                        .SetProperty(i => i.Slots, slots)
                        .SetProperty(i => i.KindSlots, kindSlots)
                        .SetProperty(i => i.InFlight, inFlight),
                cancellationToken
            );
        if (renewed == 0)
        {
            var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
            db.Instances.Add(
                new Instance
                {
                    Id = instance.Id,
                    Service = instance.Service,
                    Host = instance.Host,
                    Version = instance.Version,
                    StartedAt = now,
                    SeenAt = now,
                    LeaseUntil = now + Lease,
                    HoldsLock = holdsLock,
                    PoolMax = pool.Max,
                    PoolInUse = inUse,
                    PoolIdle = idle,
                    PoolWaiting = waiting,
                    ConnectionHolders = longest,
                    Slots = slots,
                    KindSlots = kindSlots,
                    InFlight = inFlight,
                }
            );
            await db.SaveChangesAsync(cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The row of this instance was not deleted; its lease ends by itself.")]
    private static partial void NotDeleted(ILogger logger, Exception exception);
}
