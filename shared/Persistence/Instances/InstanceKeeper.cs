using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.Persistence;

/// <summary>
/// Keeps the row of this process in <c>instances</c>: renews its lease with one small update every 5 s, on the database's clock, and
/// deletes it at the end. The lease belongs to the process and not to its tasks, so a lock on a task's row cannot starve it.
/// </summary>
public sealed partial class InstanceKeeper(
    InstanceIdentity instance, DatabasePool pool, IServiceScopeFactory scopes, IServiceProvider services, TimeProvider time, ILogger<InstanceKeeper> logger)
    : IHostedService, IDisposable
{
    /// <summary>How often the lease is renewed: 5 s.</summary>
    public static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(5);

    /// <summary>How long a process counts as alive without renewing: 30 s.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource stopping = new();
    private Task loop = Task.CompletedTask;

    /// <summary>Writes the row before anything is claimed under it.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await RenewAsync(cancellationToken);
        loop = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Deletes the row: by now nothing is owned by it, or whoever finds it may take it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        await loop;
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
            await db.Instances.Where(i => i.Id == instance.Id).ExecuteDeleteAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            NotRenewed(logger, exception);
        }
    }

    /// <inheritdoc />
    public void Dispose() => stopping.Dispose();

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(RenewInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping.Token))
            {
                try
                {
                    await RenewAsync(stopping.Token);
                }
                catch (Exception exception) when (!stopping.IsCancellationRequested)
                {
                    NotRenewed(logger, exception);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>Renews the lease now, for example because the load it tells about has changed.</summary>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        var (inUse, idle, waiting) = pool.Read();
        var load = services.GetService<IInstanceLoad>();
        var (slots, inFlight, holdsLock) = (load?.Slots ?? 0, load?.InFlight ?? 0, load?.HoldsLock ?? false);
        var seconds = Lease.TotalSeconds;
        var renewed = await db.Instances.Where(i => i.Id == instance.Id).ExecuteUpdateAsync(
            set => set
                .SetProperty(i => i.SeenAt, _ => DatabaseClock.UtcNow())
                .SetProperty(i => i.LeaseUntil, _ => DatabaseClock.UtcNow().AddSeconds(seconds))
                .SetProperty(i => i.HoldsLock, holdsLock)
                .SetProperty(i => i.PoolMax, pool.Max)
                .SetProperty(i => i.PoolInUse, inUse)
                .SetProperty(i => i.PoolIdle, idle)
                .SetProperty(i => i.PoolWaiting, waiting)
                .SetProperty(i => i.Slots, slots)
                .SetProperty(i => i.InFlight, inFlight),
            cancellationToken);
        if (renewed == 0)
        {
            var now = await db.Database.ReadClockAsync(cancellationToken);
            db.Instances.Add(new Instance
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
                Slots = slots,
                InFlight = inFlight,
            });
            await db.SaveChangesAsync(cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of this instance was not renewed; tried again in a few seconds.")]
    private static partial void NotRenewed(ILogger logger, Exception exception);
}
