namespace Platform.HeavyTasks;

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome
{
    /// <summary>The task succeeded.</summary>
    Succeeded,

    /// <summary>The handler threw.</summary>
    Failed,

    /// <summary>The attempt ran longer than the kind's <c>RunTimeout</c>.</summary>
    TimedOut,

    /// <summary>Cancelled on request.</summary>
    Cancelled,

    /// <summary>The owner died; another worker noticed.</summary>
    Crashed,

    /// <summary>Given back before it was done, at no cost: the worker was draining.</summary>
    Released,
}

/// <summary>One claim of a task by a worker, kept for people who ask what happened.</summary>
public class HeavyTaskAttempt
{
    /// <summary>Longest error text kept, in characters.</summary>
    public const int MaxErrorLength = 8_000;

    /// <summary>Room for the name of an outcome in the database, in characters.</summary>
    public const int MaxOutcomeLength = 10;

    /// <summary>The task.</summary>
    public Guid TaskId { get; init; }

    /// <summary>1 for the first claim of the task.</summary>
    public int Attempt { get; init; }

    /// <summary>The process that claimed it: a row of <c>instances</c>, while that is kept.</summary>
    public Guid Owner { get; init; }

    /// <summary>Host and process of the worker, for people.</summary>
    public string Worker { get; init; } = "";

    /// <summary>When it was claimed (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>When it ended (UTC); null while it runs.</summary>
    public DateTime? EndedAt { get; set; }

    /// <summary>How it ended; null while it runs.</summary>
    public AttemptOutcome? Outcome { get; set; }

    /// <summary>What went wrong; at most <see cref="MaxErrorLength"/> characters.</summary>
    public string? Error { get; set; }
}
