using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// Makes the claims of this process. Claims that arrive while another is under way wait for it and are then made together: so many small
/// tasks cost one statement, one round trip and one commit. A claim that arrives alone is made at once.
/// </summary>
internal sealed class HeavyTaskClaims(InstanceIdentity instance)
{
    private readonly Lock gate = new();
    private readonly Queue<Waiting> waiting = new();
    private bool underWay;

    /// <summary>Claims a task for this process. Null when the task is not queued (any more).</summary>
    /// <param name="db">The context of the message; its connection may also claim the tasks of other messages.</param>
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

        // The separate claim waits for the lock without delaying other claims.
        return await own.Claimed.Task ?? (own.IsLocked ? await ClaimAloneAsync(db, taskId) : null);
    }

    /// <summary>Claims a task in a statement of its own.</summary>
    public Task<ClaimedHeavyTask?> ClaimAloneAsync(DbContext db, Guid taskId) =>
        Dialect.Current.ClaimAsync(db, taskId, instance.Id, instance.Host, CancellationToken.None);

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
        var claimed = await Dialect.Current.ClaimAsync(db, ids, instance.Id, instance.Host, CancellationToken.None);
        var unclaimed = claimed.ToDictionary(task => task.Id);
        var without = new List<Waiting>();
        foreach (var one in together)
        {
            // If one task was delivered twice, the first delivery gets it. Nobody who has got a task depends on what follows.
            if (unclaimed.Remove(one.TaskId, out var task))
            {
                one.End(task);
            }
            else
            {
                without.Add(one);
            }
        }

        // A task that was left out is either not queued (any more), as when thousands were cancelled, or locked for a moment by somebody who
        // is about to cancel it, for example.
        var locked = without.Count == 0 ? [] : await QueuedAsync(db, [.. ids.Except(claimed.Select(task => task.Id))]);
        foreach (var one in without)
        {
            one.IsLocked = locked.Contains(one.TaskId);
            one.End(null);
        }
    }

    private static async Task<HashSet<Guid>> QueuedAsync(DbContext db, Guid[] ids) =>
        [.. await db.HeavyTasks.Where(t => ids.Contains(t.Id) && t.Status == HeavyTaskStatus.Queued).Select(t => t.Id).ToListAsync()];

    private sealed class Waiting(Guid taskId)
    {
        public Guid TaskId => taskId;

        /// <summary>True when this claim's turn has come to claim for all that wait; false when another has done it.</summary>
        public TaskCompletionSource<bool> Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<ClaimedHeavyTask?> Claimed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Whether the task, which was not claimed, is queued: somebody else has locked it.</summary>
        public bool IsLocked { get; set; }

        public void End(ClaimedHeavyTask? claimed)
        {
            Claimed.SetResult(claimed);
            Turn.TrySetResult(false);
        }
    }
}

/// <summary>What a worker reads of the task that it claimed.</summary>
internal sealed record ClaimedHeavyTask
{
    /// <summary>The task.</summary>
    public Guid Id { get; init; }

    /// <summary>Its kind.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The tenant to which it belongs; empty for none.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>Its parameters as JSON.</summary>
    public string Parameters { get; init; } = "";

    /// <summary>The attempt that this claim began.</summary>
    public int Attempt { get; init; }

    /// <summary>Crashes so far.</summary>
    public int Crashes { get; init; }

    /// <summary>Failures so far.</summary>
    public int Failures { get; init; }

    /// <summary>The number of failures after which the task is given up.</summary>
    public int MaxFailures { get; init; }

    /// <summary>The state of the last checkpoint as JSON.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>The progress at the last checkpoint.</summary>
    public long ProgressDone { get; init; }

    /// <summary>When the task became queued (UTC).</summary>
    public DateTime? QueuedAt { get; init; }

    /// <summary>When the task was claimed (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>The columns that <see cref="Read"/> reads, in its order.</summary>
    public const string Columns =
        "id, kind, parameters, attempt, failures, max_failures, checkpoint, progress_done, queued_at, started_at, crashes, tenant_id";

    /// <summary>Reads the reader's current row.</summary>
    public static ClaimedHeavyTask Read(DbDataReader reader) =>
        new()
        {
            Id = reader.GetGuid(0),
            Kind = reader.GetString(1),
            Parameters = reader.GetString(2),
            Attempt = reader.GetInt32(3),
            Failures = reader.GetInt32(4),
            MaxFailures = reader.GetInt32(5),
            Checkpoint = reader.IsDBNull(6) ? null : reader.GetString(6),
            ProgressDone = reader.GetInt64(7),
            QueuedAt = reader.IsDBNull(8) ? null : reader.GetDateTime(8),
            StartedAt = reader.GetDateTime(9),
            Crashes = reader.GetInt32(10),
            TenantId = reader.GetString(11),
        };
}
