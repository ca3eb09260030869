using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Keeps what this worker owns: stops tasks that were cancelled or taken away, and gives back tasks that this worker owns in the database
/// but does not run (a claim whose answer was lost). It reads without locks. <see cref="InstanceKeeper"/> renews the lease, and
/// <see cref="LivenessKeeper"/> holds the lock.
/// </summary>
internal sealed partial class Keeper(
    InstanceIdentity instance,
    RunningAttempts runningAttempts,
    TakeOver takeOver,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<Keeper> logger
) : PollingLoop(options.Value.Interval, time, logger)
{
    // A claim commits a moment before its task counts as running here, so a task counts as lost only after this many looks in a row.
    private const int LostAfter = 3;

    private readonly Dictionary<HeavyTaskFence, int> unknown = [];

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryRoundAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override Task RunRoundAsync(CancellationToken stoppingToken) => WatchAsync(stoppingToken);

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        // The list is read before the query, so that a task claimed after it cannot look taken away.
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
                // The task was settled here or taken elsewhere. It does no harm to stop a task that has just been settled.
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

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Attempt {Attempt} of task {TaskId} is claimed by this worker but does not run here; it goes back to the queue."
    )]
    private static partial void Lost(ILogger logger, Guid taskId, int attempt);
}
