using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Pauses and resumes kinds from a page. The action asks by itself whether the client may, and is recorded.</summary>
internal sealed class KindPauseActions(Viewer viewer, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>Pauses a kind on all workers, or lets it go on; what happened, for people.</summary>
    public async Task<string> SetAsync(string kind, bool isPaused)
    {
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.OperateSystem, isPaused ? "PauseKind" : "ResumeKind", kind);
        var (isThere, _) = await Deadlocks.RetryAsync(
            scopes,
            scope => PauseKind.SetAsync(scope.GetRequiredService<EngineContext>().Db, kind, isPaused, actor, CancellationToken.None),
            time,
            CancellationToken.None
        );
        return !isThere ? "There is no such kind any more."
            : isPaused ? $"{kind} is paused: no worker begins a task of it. What runs goes on."
            : $"{kind} goes on.";
    }
}
