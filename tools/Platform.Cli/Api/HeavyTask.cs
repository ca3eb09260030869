using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>A heavy task as <c>GET /heavy-tasks/{id}</c> describes it; in a list, some members are absent.</summary>
internal sealed record HeavyTask
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    /// <summary>Scheduled, Queued, Running, Succeeded, Failed or Cancelled. Text, so that a newer API's status is shown, not refused.</summary>
    public string Status { get; init; } = "";

    public int Attempt { get; init; }

    public int Failures { get; init; }

    public int Crashes { get; init; }

    public int? MaxAttempts { get; init; }

    public bool CancelRequested { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? DueAt { get; init; }

    public DateTimeOffset? QueuedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public HeavyTaskProgress? Progress { get; init; }

    public JsonElement? Result { get; init; }

    public string? Error { get; init; }

    public IReadOnlyList<HeavyTaskAttempt>? Attempts { get; init; }

    public HeavyTaskLinks? Links { get; init; }

    public bool HasSucceeded => Status is "Succeeded";

    /// <summary>Whether the status is final (until someone retries by hand).</summary>
    public bool IsFinished => Status is "Succeeded" or "Failed" or "Cancelled";
}

/// <summary>How far a task is.</summary>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, where the handler knows.</param>
/// <param name="Text">What it is doing, for people.</param>
internal sealed record HeavyTaskProgress(long Done, long? Total, string? Text);

/// <summary>One run of a task on one worker.</summary>
internal sealed record HeavyTaskAttempt(
    int Attempt,
    string? Worker,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    string? Outcome,
    string? Error
);

/// <summary>What can be done with a task now; null where it cannot.</summary>
internal sealed record HeavyTaskLinks(string? Self, string? Cancel, string? Retry, string? Result);

/// <summary>One page of <c>GET /heavy-tasks</c>, newest first.</summary>
/// <param name="Items">The tasks.</param>
/// <param name="Next">The cursor of the next page; null on the last.</param>
internal sealed record HeavyTaskPage(IReadOnlyList<HeavyTask> Items, string? Next);
