namespace Platform.HeavyTasks;

/// <summary>
/// What a worker must still hold for its write to count. Every write of a running task is conditional on these three in the
/// transaction that does it; a task that was taken over has another attempt or owner, and the write changes nothing.
/// </summary>
public readonly record struct HeavyTaskFence(Guid TaskId, int Attempt, Guid Owner);

/// <summary>Thrown when a write of a task finds that the task no longer belongs to this attempt. The work of the attempt is void.</summary>
public sealed class HeavyTaskFenceException(HeavyTaskFence fence)
    : Exception(
        $"Task {fence.TaskId} no longer belongs to attempt {fence.Attempt} of owner {fence.Owner}: it was taken over, cancelled or finished elsewhere."
    )
{
    /// <summary>The fence that no longer holds.</summary>
    public HeavyTaskFence Fence { get; } = fence;
}
