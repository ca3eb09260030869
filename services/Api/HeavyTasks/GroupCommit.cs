using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Platform.Api.Problems;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

/// <summary>
/// Saves the tasks of requests that come at the same time together, each group in one transaction: what comes while
/// <see cref="SubmitHeavyTaskOptions.MaxConcurrentSaves"/> are under way goes with the next one. A task that comes when nothing is under way
/// is saved at once and alone.
/// </summary>
/// <remarks>
/// A request knows of its own task only: one that cannot be saved fails alone, because a group that failed is saved again in halves. A
/// save that stands still holds its group until the command timeout; the others go on beside it, and when all of them stand still, a task that
/// waits is given up after <see cref="DatabaseOptions.AcquireTimeout"/>, unsaved. The meter <c>Platform.Api</c> tells how many tasks a
/// transaction saved.
/// </remarks>
internal sealed class GroupCommit(
    IServiceScopeFactory scopes,
    IOptions<SubmitHeavyTaskOptions> options,
    IOptions<DatabaseOptions> database,
    IMeterFactory meters,
    TimeProvider time
)
{
    /// <summary>Most tasks of a group: a group stays one command, and the time that it takes stays that of a request.</summary>
    private const int MaxGroup = 50;

    /// <summary>Most characters of parameters in a group, 1 Mi; below what a server takes as one command (MySQL: max_allowed_packet).</summary>
    private const int MaxGroupLength = 1 << 20;

    /// <summary>Most tasks that wait for a save, each with up to 64 KiB of parameters.</summary>
    private const int MaxWaiting = 1_000;

    private readonly Lock gate = new();
    private readonly LinkedList<WaitingTask> waiting = new();
    private readonly Histogram<int> savedTogether = meters
        .Create("Platform.Api")
        .CreateHistogram<int>("platform.heavy_task.saved_together", "{task}", "Submitted tasks that one transaction saved.");

    private int saves;

    /// <summary>Saves under way.</summary>
    internal int Saves
    {
        get
        {
            lock (gate)
            {
                return saves;
            }
        }
    }

    /// <summary>Tasks that no save has taken yet.</summary>
    internal int Waiting
    {
        get
        {
            lock (gate)
            {
                return waiting.Count;
            }
        }
    }

    /// <summary>Saves a new task and its message.</summary>
    /// <exception cref="DatabaseBusyException">No save could take the task in time; it was not saved.</exception>
    public async Task SaveAsync(HeavyTask task)
    {
        var mine = new WaitingTask(task, Activity.Current);
        var start = false;
        lock (gate)
        {
            if (waiting.Count == MaxWaiting)
            {
                throw new DatabaseBusyException($"{MaxWaiting:N0} tasks wait to be saved.");
            }

            waiting.AddLast(mine.Node);
            if (saves < options.Value.MaxConcurrentSaves)
            {
                saves++;
                start = true;
            }
        }

        if (start)
        {
            // Not as a part of this request: the same loop goes on with the tasks of others.
            ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.SaveWaitingAsync(), this, preferLocal: false);
        }

        // Whether the time is over is decided with the queue's lock held: a save that takes the task at that very moment has it, and is waited for.
        await mine.Saved.Task.WaitAsync(database.Value.AcquireTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!mine.Saved.Task.IsCompleted && TryGiveUp(mine))
        {
            throw new DatabaseBusyException($"No save took the task within {database.Value.AcquireTimeout}.");
        }

        await mine.Saved.Task;
    }

    private async Task SaveWaitingAsync()
    {
        while (TakeGroup() is { Count: > 0 } group)
        {
            await SaveAsync(group);
        }
    }

    private List<WaitingTask> TakeGroup()
    {
        var group = new List<WaitingTask>();
        var length = 0;
        lock (gate)
        {
            while (waiting.First is { } first && group.Count < MaxGroup)
            {
                length += first.Value.Task.Parameters.Length;
                if (length > MaxGroupLength && group.Count > 0)
                {
                    break;
                }

                waiting.RemoveFirst();
                group.Add(first.Value);
            }

            saves -= group.Count == 0 ? 1 : 0;
        }

        return group;
    }

    private bool TryGiveUp(WaitingTask task)
    {
        lock (gate)
        {
            if (task.Node.List is null)
            {
                return false;
            }

            waiting.Remove(task.Node);
            return true;
        }
    }

    private async Task SaveAsync(List<WaitingTask> group)
    {
        try
        {
            await Deadlocks.RetryAsync(scopes, services => SaveAsync(services, group), time, CancellationToken.None);
        }
        catch (Exception exception) when (group.Count > 1 && !DatabaseProvider.IsConnectionUnavailable(exception))
        {
            var half = group.Count / 2;
            await SaveAsync(group[..half]);
            await SaveAsync(group[half..]);
            return;
        }
        catch (Exception exception)
        {
            group.ForEach(one => one.Saved.SetException(exception));
            return;
        }

        savedTogether.Record(group.Count);
        group.ForEach(one => one.Saved.SetResult());
    }

    // Not ended by a client that goes away: a save cut short leaves its message to the sweeper, so the task would start late.
    private static async Task<int> SaveAsync(IServiceProvider services, List<WaitingTask> group)
    {
        var db = services.GetRequiredService<PlatformDbContext>();
        var lifecycle = services.GetRequiredService<TaskLifecycle>();
        foreach (var one in group)
        {
            // A message belongs to the trace of its own request.
            Activity.Current = one.Request;
            await lifecycle.SubmitAsync(one.Task, CancellationToken.None);
        }

        Activity.Current = group[0].Request;
        db.Database.AutoTransactionBehavior = DatabaseProvider.OneBatchOfInserts;
        return await db.SaveChangesAsync(CancellationToken.None);
    }

    private sealed class WaitingTask
    {
        public WaitingTask(HeavyTask task, Activity? request)
        {
            Task = task;
            Request = request;
            Node = new(this);
        }

        public HeavyTask Task { get; }

        public Activity? Request { get; }

        public LinkedListNode<WaitingTask> Node { get; }

        public TaskCompletionSource Saved { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
