using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Drains one worker from a page. The action asks by itself whether the client may, and is recorded.</summary>
internal sealed class WorkerActions(Viewer viewer, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>Lets a worker begin no more tasks, or lets it go on; what happened, for people.</summary>
    public async Task<string> SetDrainedAsync(Guid id, bool isDrained)
    {
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.OperateSystem, isDrained ? "DrainWorker" : "ResumeWorker", $"{id}");
        var (isThere, _) = await Deadlocks.RetryAsync(
            scopes,
            scope => DrainWorker.SetAsync(scope.GetRequiredService<EngineContext>().Db, id, isDrained, actor, CancellationToken.None),
            time,
            CancellationToken.None
        );
        return !isThere ? "There is no such worker any more."
            : isDrained ? "The worker begins no more tasks. What it runs goes on, and the others take the rest."
            : "The worker goes on.";
    }
}
