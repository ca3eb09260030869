using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// The claims of this process. One that comes while another is under way waits for it, and is then made together with all that wait:
/// many small tasks cost one statement, one round trip and one commit. One that comes alone is not kept waiting.
/// </summary>
internal sealed class HeavyTaskClaims(InstanceIdentity instance)
{
    private readonly Lock gate = new();
    private readonly Queue<Waiting> waiting = new();
    private bool underWay;

    /// <summary>Claims a task for this process. Null when it is not queued (any more).</summary>
    /// <param name="db">The context of the message; its connection may claim the tasks of others as well.</param>
    /// <param name="taskId">The task.</param>
    public async Task<ClaimedHeavyTask?> ClaimAsync(DbContext db, Guid taskId)
    {
        var own = new Waiting(taskId);
        lock (gate)
        {
            waiting.Enqueue(own);
            if (!underWay)
            {
                underWay = true;
                own.Turn.SetResult(true);
            }
        }

        if (await own.Turn.Task)
        {
            await ClaimTogetherAsync(db);
        }

        // Left out: not queued, or locked for a moment by somebody who cancels it. A claim of its own may wait for that lock: nobody else waits with it.
        return await own.Claimed.Task ?? await ClaimAloneAsync(db, taskId);
    }

    /// <summary>Claims a task in a statement of its own.</summary>
    public Task<ClaimedHeavyTask?> ClaimAloneAsync(DbContext db, Guid taskId) =>
        db.ClaimHeavyTaskAsync(taskId, instance.Id, instance.Host, CancellationToken.None);

    private async Task ClaimTogetherAsync(DbContext db)
    {
        Waiting[] together;
        lock (gate)
        {
            together = [.. waiting];
            waiting.Clear();
        }

        try
        {
            await ClaimAsync(db, together);
        }
        catch (Exception exception)
        {
            foreach (var one in together)
            {
                one.Claimed.TrySetException(exception);
                one.Turn.TrySetResult(false);
            }
        }
        finally
        {
            Waiting? next;
            lock (gate)
            {
                underWay = waiting.TryPeek(out next);
            }

            next?.Turn.SetResult(true);
        }
    }

    private async Task ClaimAsync(DbContext db, Waiting[] together)
    {
        var ids = together.Select(one => one.TaskId).Distinct().ToArray();
        var claimed = await db.ClaimHeavyTasksAsync(ids, instance.Id, instance.Host, CancellationToken.None);
        var unclaimed = claimed.ToDictionary(task => task.Id);
        foreach (var one in together)
        {
            // Of two deliveries of one task, the first gets it.
            one.Claimed.SetResult(unclaimed.Remove(one.TaskId, out var task) ? task : null);
            one.Turn.TrySetResult(false);
        }
    }

    private sealed class Waiting(Guid taskId)
    {
        public Guid TaskId => taskId;

        /// <summary>True when it is this one's turn to claim for all that wait; false when another has done it.</summary>
        public TaskCompletionSource<bool> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<ClaimedHeavyTask?> Claimed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
