using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// What an attempt must still hold for its writes to count. Every write of a running task depends on these three values, in the same
/// transaction. If the task was taken over, it has another attempt or owner, and the write changes nothing.
/// </summary>
public readonly record struct HeavyTaskFence(Guid TaskId, int Attempt, Guid Owner);

/// <summary>
/// Thrown when a write finds that the task no longer belongs to this attempt. The attempt's work since its last checkpoint is void.
/// </summary>
public sealed class HeavyTaskFenceException(HeavyTaskFence fence)
    : Exception(
        $"Task {fence.TaskId} no longer belongs to attempt {fence.Attempt} of owner {fence.Owner}: it was taken over, cancelled or finished elsewhere."
    )
{
    /// <summary>The fence that no longer holds.</summary>
    public HeavyTaskFence Fence { get; } = fence;
}

/// <summary>What an attempt writes to its task while it runs. Each update returns 0 when the fence no longer holds.</summary>
internal static class OwnedHeavyTask
{
    /// <summary>The task of this fence, or none when the fence no longer holds.</summary>
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
