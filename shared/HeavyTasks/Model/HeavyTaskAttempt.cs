namespace Platform.HeavyTasks;

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    /// <summary>The task succeeded.</summary>
    Succeeded,

    /// <summary>The handler threw an exception.</summary>
    Failed,

    /// <summary>The attempt ran longer than the kind's <c>RunTimeout</c>.</summary>
    TimedOut,

    /// <summary>The attempt was cancelled on request.</summary>
    Cancelled,

    /// <summary>The owner died, and another worker noticed.</summary>
    Crashed,

    /// <summary>
    /// The task went back to the queue unfinished, without counting a failure or crash, usually because the worker drained.
    /// </summary>
    Released,
}

/// <summary>One attempt: a claim of a task by a worker. Kept for people who ask what happened.</summary>
public class HeavyTaskAttempt
{
    /// <summary>The longest error text kept, in characters.</summary>
    public const int MaxErrorLength = 8_000;

    /// <summary>The room for the name of an outcome in the database, in characters.</summary>
    public const int MaxOutcomeLength = 10;

    /// <summary>The id of the task.</summary>
    public Guid TaskId { get; init; }

    /// <summary>The number of the attempt; 1 for the first claim of the task.</summary>
    public int Attempt { get; init; }

    /// <summary>The id of the process that claimed the task: a row of <c>instances</c>, while that row is kept.</summary>
    public Guid Owner { get; init; }

    /// <summary>The host and process of the worker, for people.</summary>
    public string Worker { get; init; } = "";

    /// <summary>When the task was claimed (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>When the attempt ended (UTC); null while it runs.</summary>
    public DateTime? EndedAt { get; set; }

    /// <summary>How the attempt ended; null while it runs.</summary>
    public AttemptOutcome? Outcome { get; set; }

    /// <summary>What went wrong; at most <see cref="MaxErrorLength"/> characters.</summary>
    public string? Error { get; set; }
}
