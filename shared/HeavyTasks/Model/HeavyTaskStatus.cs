namespace Platform.HeavyTasks;

/// <summary>The status of a heavy task. Stored by name.</summary>
public enum HeavyTaskStatus
{
    /// <summary>
    /// The task waits for <see cref="HeavyTask.DueAt"/>: it was submitted for later, or waits for its retry after a failure.
    /// </summary>
    Scheduled,

    /// <summary>The task waits for a worker. Its <c>HeavyTaskRequested</c> was saved together with this status.</summary>
    Queued,

    /// <summary>A worker owns the task.</summary>
    Running,

    /// <summary>The task is done, and its result is final.</summary>
    Succeeded,

    /// <summary>The task was given up: it used up its failures or crashes, or its handler said that retrying is useless.</summary>
    Failed,

    /// <summary>The task was stopped on request.</summary>
    Cancelled,
}

/// <summary>Says what can happen to a task in each status.</summary>
public static class HeavyTaskStatuses
{
    /// <summary>The room for the name of a status in the database, in characters.</summary>
    public const int MaxLength = 10;

    /// <summary>The statuses in which nothing happens any more unless somebody retries the task.</summary>
    public static readonly IReadOnlyList<HeavyTaskStatus> Final =
    [
        HeavyTaskStatus.Succeeded,
        HeavyTaskStatus.Failed,
        HeavyTaskStatus.Cancelled,
    ];

    /// <summary>The statuses in which no worker owns the task, so it can be cancelled at once.</summary>
    public static readonly IReadOnlyList<HeavyTaskStatus> Waiting = [HeavyTaskStatus.Scheduled, HeavyTaskStatus.Queued];

    /// <summary>The statuses in which the task can be retried.</summary>
    public static readonly IReadOnlyList<HeavyTaskStatus> Retryable = [HeavyTaskStatus.Failed, HeavyTaskStatus.Cancelled];

    /// <summary>Whether the task has ended.</summary>
    public static bool IsFinal(this HeavyTaskStatus status) => Final.Contains(status);

    /// <summary>Whether the task can be retried.</summary>
    public static bool IsRetryable(this HeavyTaskStatus status) => Retryable.Contains(status);
}
