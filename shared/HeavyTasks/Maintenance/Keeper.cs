using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Keeps what this worker owns: holds the liveness lock, stops tasks that were cancelled or taken away, and gives back tasks that the
/// database says are ours but nobody here runs (a claim whose answer was lost). Reads without locks; the lease itself is renewed by
/// <see cref="InstanceKeeper"/>.
/// </summary>
internal sealed partial class Keeper(
    InstanceIdentity instance,
    InstanceKeeper instanceKeeper,
    LivenessLock livenessLock,
    RunningAttempts runningAttempts,
    TakeOver takeOver,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<Keeper> logger
) : PollingLoop(options.Value.Interval, time, logger)
{
    // A claim commits a moment before the task counts as running here, so a task must look lost this often in a row.
    private const int LostAfter = 3;

    private readonly Dictionary<HeavyTaskFence, int> unknown = [];

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryRoundAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await livenessLock.ReleaseAsync();
    }

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        if (options.Value.LivenessLock)
        {
            await KeepLockAsync(stoppingToken);
        }

        await WatchAsync(stoppingToken);
    }

    private async Task KeepLockAsync(CancellationToken cancellationToken)
    {
        try
        {
            var wasHeld = livenessLock.IsHeld;
            await livenessLock.KeepAsync(cancellationToken);
            if (livenessLock.IsHeld != wasHeld)
            {
                // Others look for the lock only once the row says that there is one.
                await instanceKeeper.RenewAsync(cancellationToken);
            }
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LockNotHeld(logger, exception);
        }
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        // Taken before the query: what was claimed after it cannot look taken away.
        var running = runningAttempts.All.ToArray();
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var owned = await db
            .HeavyTasks.AsNoTracking()
            .Where(t => t.Owner == instance.Id && t.Status == HeavyTaskStatus.Running)
            .Select(t => new
            {
                t.Id,
                t.Attempt,
                t.CancelRequested,
            })
            .ToDictionaryAsync(t => new HeavyTaskFence(t.Id, t.Attempt, instance.Id), t => t.CancelRequested, cancellationToken);

        foreach (var task in running)
        {
            if (!owned.TryGetValue(task.Fence, out var cancelRequested))
            {
                // Settled here, or taken elsewhere; stopping a task that has just been settled does no harm.
                task.Stop(StopReason.TakenAway);
            }
            else if (cancelRequested)
            {
                task.Stop(StopReason.CancelRequested);
            }
        }

        var lost = owned.Keys.Where(fence => runningAttempts.Find(fence.TaskId, fence.Attempt, fence.Owner) is null).ToArray();
        foreach (var fence in unknown.Keys.Except(lost).ToArray())
        {
            unknown.Remove(fence);
        }

        foreach (var fence in lost)
        {
            unknown[fence] = unknown.GetValueOrDefault(fence) + 1;
            if (unknown[fence] >= LostAfter)
            {
                Lost(logger, fence.TaskId, fence.Attempt);
                await takeOver.ReleaseAsync(fence, cancellationToken);
                unknown.Remove(fence);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The liveness lock is not held; until it is, others may take this worker for dead.")]
    private static partial void LockNotHeld(ILogger logger, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Attempt {Attempt} of task {TaskId} is claimed by this worker but does not run here; it goes back to the queue."
    )]
    private static partial void Lost(ILogger logger, Guid taskId, int attempt);
}
