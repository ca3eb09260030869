using System.Collections.Concurrent;

namespace Platform.HeavyTasks;

/// <summary>The attempts that run in this process.</summary>
internal sealed class RunningAttempts
{
    private readonly ConcurrentDictionary<HeavyTaskFence, RunningAttempt> tasks = new();

    public int Count => tasks.Count;

    public ICollection<RunningAttempt> All => tasks.Values;

    public RunningAttempt Add(HeavyTaskFence fence, string kind, long startedAt)
    {
        var task = new RunningAttempt(fence, kind, startedAt);
        tasks[fence] = task;
        return task;
    }

    public void Remove(RunningAttempt task) => tasks.TryRemove(task.Fence, out _);

    public RunningAttempt? Find(Guid taskId, int attempt, Guid owner) =>
        tasks.GetValueOrDefault(new HeavyTaskFence(taskId, attempt, owner));
}
