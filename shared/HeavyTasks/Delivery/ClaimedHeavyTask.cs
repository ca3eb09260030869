namespace Platform.HeavyTasks;

/// <summary>What a worker learns of the task that it claimed.</summary>
internal sealed record ClaimedHeavyTask
{
    /// <summary>The task.</summary>
    public Guid Id { get; init; }

    /// <summary>Its kind.</summary>
    public string Kind { get; init; } = "";

    /// <summary>Its parameters as JSON.</summary>
    public string Parameters { get; init; } = "";

    /// <summary>The attempt that this claim began.</summary>
    public int Attempt { get; init; }

    /// <summary>Failures so far.</summary>
    public int Failures { get; init; }

    /// <summary>Failures after which it is given up.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>State of the last checkpoint as JSON.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Progress at the last checkpoint.</summary>
    public long ProgressDone { get; init; }

    /// <summary>When it became queued (UTC).</summary>
    public DateTime? QueuedAt { get; init; }

    /// <summary>When it was claimed (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }
}
