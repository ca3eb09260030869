using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>What an attempt writes of its task while it runs. Each update returns 0 when the fence no longer holds.</summary>
internal static class OwnedHeavyTask
{
    /// <summary>The task of this fence, while the fence holds.</summary>
    public static IQueryable<HeavyTask> Owned(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence) =>
        tasks.Where(t =>
            t.Id == fence.TaskId && t.Status == HeavyTaskStatus.Running && t.Attempt == fence.Attempt && t.Owner == fence.Owner
        );

    /// <summary>Writes progress and checkpoint.</summary>
    public static Task<int> CheckpointAsync(
        this IQueryable<HeavyTask> tasks,
        HeavyTaskFence fence,
        string? state,
        long done,
        long? total,
        string? text,
        CancellationToken cancellationToken
    ) =>
        tasks
            .Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Checkpoint, state)
                        .SetProperty(t => t.ProgressDone, done)
                        .SetProperty(t => t.ProgressTotal, total)
                        .SetProperty(t => t.ProgressText, text),
                cancellationToken
            );

    /// <summary>Writes the progress.</summary>
    public static Task<int> ReportProgressAsync(
        this IQueryable<HeavyTask> tasks,
        HeavyTaskFence fence,
        long done,
        long? total,
        string? text,
        CancellationToken cancellationToken
    ) =>
        tasks
            .Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.ProgressDone, done)
                        .SetProperty(t => t.ProgressTotal, total)
                        .SetProperty(t => t.ProgressText, text),
                cancellationToken
            );
}
