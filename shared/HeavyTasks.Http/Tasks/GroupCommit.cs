using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Saves tasks from simultaneous requests together, each group in one transaction. A task that arrives while
/// <see cref="SubmitHeavyTaskOptions.MaxConcurrentSaves"/> saves are under way waits for the next save. A task that arrives when no save is
/// under way is saved at once and alone.
/// </summary>
/// <remarks>
/// A request is affected by its own task only: when a group fails, it is saved again in halves, so a task that cannot be saved fails alone.
/// A save that hangs holds its group until the command timeout, while the other saves go on beside it. When all saves hang, a task that
/// waits is given up, unsaved, after <see cref="DatabaseOptions.AcquireTimeout"/>. The meter <c>Platform.HeavyTasks.Http</c> tells how many
/// tasks each transaction saved.
/// </remarks>
internal sealed class GroupCommit(
    IServiceScopeFactory scopes,
    IOptions<SubmitHeavyTaskOptions> options,
    IOptions<DatabaseOptions> database,
    IMeterFactory meters,
    TimeProvider time
)
{
    /// <summary>The most tasks in a group. The limit keeps a group in one command, which takes no longer than a request may.</summary>
    private const int MaxGroup = 50;

    /// <summary>
    /// The most characters of parameters in a group: 1 Mi, below the size of command that a server accepts (MySQL: max_allowed_packet).
    /// </summary>
    private const int MaxGroupLength = 1 << 20;

    /// <summary>The most tasks that wait for a save, each with up to 64 KiB of parameters.</summary>
    private const int MaxWaiting = 1_000;

    private readonly Lock gate = new();
    private readonly LinkedList<WaitingTask> waiting = new();
    private readonly HashSet<(string Tenant, string Key)> keysUnderWay = [];
    private readonly Histogram<int> savedTogether = meters
        .Create("Platform.HeavyTasks.Http")
        .CreateHistogram<int>("platform.heavy_task.saved_together", "{task}", "Submitted tasks that one transaction saved.");

    private int saves;

    /// <summary>The number of saves under way.</summary>
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

    /// <summary>The number of tasks that no save has taken yet.</summary>
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

    /// <summary>Saves a new task and its message; false when there is a task with its Idempotency-Key already.</summary>
    /// <exception cref="DatabaseBusyException">No save could take the task in time; it was not saved.</exception>
    /// <exception cref="DbUpdateException">
    /// The task was not saved, for example because another process saved one with its key at the same moment.
    /// </exception>
    public async Task<bool> SaveAsync(HeavyTask task)
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
            // The loop does not run as a part of this request, because it goes on with the tasks of other requests.
            ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.SaveWaitingAsync(), this, preferLocal: false);
        }

        // The time limit is checked while the queue's lock is held: if a save takes the task at that very moment, this request waits for
        // the save.
        await ((Task)mine.Saved.Task).WaitAsync(database.Value.AcquireTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!mine.Saved.Task.IsCompleted && TryGiveUp(mine))
        {
            throw new DatabaseBusyException($"No save took the task within {database.Value.AcquireTimeout}.");
        }

        return await mine.Saved.Task;
    }

    private async Task SaveWaitingAsync()
    {
        while (TakeGroup() is { Count: > 0 } group)
        {
            await SaveAsync(group);
            lock (gate)
            {
                keysUnderWay.ExceptWith(group.Where(one => one.Key is not null).Select(one => one.Key!.Value));
            }
        }
    }

    private List<WaitingTask> TakeGroup()
    {
        var group = new List<WaitingTask>();
        var length = 0;
        lock (gate)
        {
            var next = waiting.First;
            while (next is { Value: var one } && group.Count < MaxGroup)
            {
                next = next.Next;

                // Of tasks with one key, one is saved, and the others wait until it is: they will find it.
                if (one.Key is { } key && keysUnderWay.Contains(key))
                {
                    continue;
                }

                length += one.Task.Parameters.Length;
                if (length > MaxGroupLength && group.Count > 0)
                {
                    break;
                }

                waiting.Remove(one.Node);
                group.Add(one);
                if (one.Key is not null)
                {
                    keysUnderWay.Add(one.Key.Value);
                }
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

    private async Task SaveAsync(List<WaitingTask> group, bool isAgain = false)
    {
        HashSet<(string Tenant, string Key)> known;
        try
        {
            known = await Deadlocks.RetryAsync(scopes, services => SaveAsync(services, group), time, CancellationToken.None);
        }
        catch (DbUpdateException exception) when (!isAgain && Dialect.Current.IsMissingReference(exception))
        {
            // A file that a task needs was deleted after the save had found it. Now the save does not find it, as if it had come later.
            await SaveAsync(group, isAgain: true);
            return;
        }
        catch (Exception exception) when (group.Count > 1 && !Dialect.Current.IsTransient(exception))
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
        group.ForEach(one => one.Saved.SetResult(!IsKnown(one, known)));
    }

    private static bool IsKnown(WaitingTask one, HashSet<(string Tenant, string Key)> known) => one.Key is { } key && known.Contains(key);

    // A repeat is nothing unusual. To let the unique index refuse it would make Entity Framework log two errors each time.
    private static async Task<HashSet<(string Tenant, string Key)>> FindKeysAsync(DbContext db, List<WaitingTask> group)
    {
        var known = new HashSet<(string Tenant, string Key)>();
        foreach (var ofTenant in group.Where(one => one.Key is not null).GroupBy(one => one.Task.TenantId))
        {
            var (tenant, keys) = (ofTenant.Key, ofTenant.Select(one => one.Task.IdempotencyKey).ToList());
            var found = db.HeavyTasks.Where(t => t.TenantId == tenant && keys.Contains(t.IdempotencyKey)).Select(t => t.IdempotencyKey!);
            known.UnionWith((await found.ToListAsync(CancellationToken.None)).Select(key => (tenant, key)));
        }

        return known;
    }

    // A client that goes away does not end the save: a save cut short would leave its message to the sweeper, and the task would start
    // late.
    /// <returns>The keys of the group that earlier tasks have; its tasks with these keys were not saved.</returns>
    private static async Task<HashSet<(string Tenant, string Key)>> SaveAsync(IServiceProvider services, List<WaitingTask> group)
    {
        Activity.Current = group[0].Request;
        var db = services.GetRequiredService<EngineContext>().Db;
        var lifecycle = services.GetRequiredService<TaskLifecycle>();
        var known = await FindKeysAsync(db, group);
        var files = await db.FindNeededFilesAsync(group.Select(one => one.Task), CancellationToken.None);
        foreach (var one in group.Where(one => !IsKnown(one, known)))
        {
            // Each message belongs to the trace of its own request.
            Activity.Current = one.Request;
            await lifecycle.SubmitAsync(one.Task, files, CancellationToken.None);
        }

        Activity.Current = group[0].Request;
        db.Database.AutoTransactionBehavior = Dialect.Current.OneBatchOfInserts;
        await db.SaveChangesAsync(CancellationToken.None);
        return known;
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

        /// <summary>The Idempotency-Key, which is unique in its tenant; null when there is none.</summary>
        public (string Tenant, string Key)? Key => Task.IdempotencyKey is { } key ? (Task.TenantId, key) : null;

        public Activity? Request { get; }

        public LinkedListNode<WaitingTask> Node { get; }

        public TaskCompletionSource<bool> Saved { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
