using System.Collections.Concurrent;
using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>The attempts that run in this process.</summary>
internal sealed class RunningTasks
{
    private readonly ConcurrentDictionary<HeavyTaskFence, RunningTask> tasks = new();

    public int Count => tasks.Count;

    public ICollection<RunningTask> All => tasks.Values;

    public RunningTask Add(HeavyTaskFence fence, string kind, long startedAt)
    {
        var task = new RunningTask(fence, kind, startedAt);
        tasks[fence] = task;
        return task;
    }

    public void Remove(RunningTask task) => tasks.TryRemove(task.Fence, out _);

    public RunningTask? Find(Guid taskId, int attempt, Guid owner) => tasks.GetValueOrDefault(new HeavyTaskFence(taskId, attempt, owner));
}
