namespace Platform.HeavyTasks;

/// <summary>Where a heavy task stands. Stored by name.</summary>
public enum HeavyTaskStatus
{
    /// <summary>Waits for <see cref="HeavyTask.DueAt"/>: submitted for later, or to be retried after a failure.</summary>
    Scheduled,

    /// <summary>Waits for a worker; a <c>HeavyTaskRequested</c> was written with it.</summary>
    Queued,

    /// <summary>A worker owns it.</summary>
    Running,

    /// <summary>Done; its result stands.</summary>
    Succeeded,

    /// <summary>Given up: failures or crashes used up, or its handler said that retrying is useless.</summary>
    Failed,

    /// <summary>Stopped on request.</summary>
    Cancelled,
}

/// <summary>What a status says about its task.</summary>
public static class HeavyTaskStatuses
{
    /// <summary>Room for the name of a status in the database, in characters.</summary>
    public const int MaxLength = 10;

    /// <summary>Nothing happens any more unless somebody retries the task by hand.</summary>
    public static readonly IReadOnlyList<HeavyTaskStatus> Final =
    [
        HeavyTaskStatus.Succeeded,
        HeavyTaskStatus.Failed,
        HeavyTaskStatus.Cancelled,
    ];

    /// <summary>No worker owns the task yet: it can be cancelled at once.</summary>
    public static readonly IReadOnlyList<HeavyTaskStatus> Waiting = [HeavyTaskStatus.Scheduled, HeavyTaskStatus.Queued];

    /// <summary>The task can be retried by hand.</summary>
    public static readonly IReadOnlyList<HeavyTaskStatus> Retryable = [HeavyTaskStatus.Failed, HeavyTaskStatus.Cancelled];

    /// <summary>Whether the task has ended.</summary>
    public static bool IsFinal(this HeavyTaskStatus status) => Final.Contains(status);

    /// <summary>Whether the task can be retried by hand.</summary>
    public static bool IsRetryable(this HeavyTaskStatus status) => Retryable.Contains(status);
}
