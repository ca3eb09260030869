using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>What can be done to kinds from a page. Each action asks by itself whether the client may, and is recorded.</summary>
internal sealed class KindActions(Viewer viewer, IServiceScopeFactory scopes, TimeProvider time)
{
    private const string Gone = "There is no such kind any more.";

    /// <summary>Pauses a kind on all workers, or lets it go on; what happened, for people.</summary>
    public async Task<string> SetPausedAsync(string kind, bool isPaused)
    {
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.OperateSystem, isPaused ? "PauseKind" : "ResumeKind", kind);
        var (isThere, _) = await Deadlocks.RetryAsync(
            scopes,
            scope => PauseKind.SetAsync(scope.GetRequiredService<EngineContext>().Db, kind, isPaused, actor, CancellationToken.None),
            time,
            CancellationToken.None
        );
        return !isThere ? Gone
            : isPaused ? $"{kind} is paused: no worker begins a task of it. What runs goes on."
            : $"{kind} goes on.";
    }

    /// <summary>Sets how many tasks of a kind each worker runs at once; null: as configured. What happened, for people.</summary>
    public async Task<string> SetSlotsAsync(string kind, int? slots)
    {
        if (slots is < 1 or > 1000)
        {
            return "A number from 1 to 1,000 is expected.";
        }

        var actor = await viewer.DemandAsync(HeavyTaskPolicies.OperateSystem, "SetKindSlots", kind);
        var isThere = await Deadlocks.RetryAsync(
            scopes,
            scope => SetKindSlots.SetAsync(scope.GetRequiredService<EngineContext>().Db, kind, slots, actor, CancellationToken.None),
            time,
            CancellationToken.None
        );
        return !isThere ? Gone
            : slots is { } count ? $"Each worker runs at most {count} tasks of {kind} at once, and never more than it was configured with."
            : $"Each worker runs as many tasks of {kind} at once as it was configured with.";
    }

    /// <summary>Cancels the tasks of a kind that wait now; what happened, for people.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="progress">Is told how many are cancelled so far.</param>
    /// <param name="cancellationToken">Ends the work between two transactions.</param>
    public async Task<string> PurgeAsync(string kind, Action<int> progress, CancellationToken cancellationToken)
    {
        var before = HeavyTask.FirstIdAt(PurgeKind.Now(time));
        var total = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            // The client is asked for each time: its key may be revoked meanwhile.
            var actor = await viewer.DemandAsync(HeavyTaskPolicies.OperateSystem, "PurgeKind", kind);
            var cancelled = await PurgeKind.CancelBatchAsync(scopes, kind, before, actor, time, CancellationToken.None);
            total += cancelled;
            progress(total);
            if (cancelled < PurgeKind.BatchSize)
            {
                break;
            }
        }

        return $"{Show.Count(total)} tasks of {kind} were cancelled{(cancellationToken.IsCancellationRequested ? "; then it was stopped" : "")}.";
    }
}
