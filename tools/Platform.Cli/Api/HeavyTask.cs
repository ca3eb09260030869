using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Cli.Api;

/// <summary>A heavy task as <c>GET /heavy-tasks/{id}</c> describes it; in a list, some members are absent.</summary>
internal sealed record HeavyTask
{
    /// <summary>Every status, as help names them. A newer API may have more.</summary>
    public static readonly string[] Statuses = ["Scheduled", "Queued", "Running", "Succeeded", "Failed", "Cancelled"];

    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    /// <summary>
    /// Scheduled, Queued, Running, Succeeded, Failed or Cancelled. A string, so that a status of a newer API is shown and not refused.
    /// </summary>
    public string Status { get; init; } = "";

    public int Attempt { get; init; }

    public int Failures { get; init; }

    public int Crashes { get; init; }

    public int? MaxFailures { get; init; }

    public bool CancelRequested { get; init; }

    public DateTimeOffset? CreatedAt { get; init; }

    public DateTimeOffset? DueAt { get; init; }

    public DateTimeOffset? QueuedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public HeavyTaskProgress? Progress { get; init; }

    public JsonElement? Result { get; init; }

    public string? Error { get; init; }

    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>The client that submitted it: the id of its key, or the subject of its token; null when code did.</summary>
    public string? SubmittedBy { get; init; }

    /// <summary>The id of the trace in which it was submitted.</summary>
    public string? TraceId { get; init; }

    public IReadOnlyList<HeavyTaskAttempt>? Attempts { get; init; }

    public HeavyTaskLinks? Links { get; init; }

    /// <summary>What a newer API tells and this command line does not know.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; init; }

    public bool HasSucceeded => Status is "Succeeded";

    /// <summary>Whether the status is final (until somebody retries the task).</summary>
    public bool IsFinished => Status is "Succeeded" or "Failed" or "Cancelled";
}

/// <summary>The progress of a task.</summary>
/// <param name="Done">Units done so far.</param>
/// <param name="Total">Units in all, if the handler knows.</param>
/// <param name="Text">What the task is doing, for people.</param>
internal sealed record HeavyTaskProgress(long Done, long? Total, string? Text);

/// <summary>One attempt of a task.</summary>
internal sealed record HeavyTaskAttempt(
    int Attempt,
    string? Worker,
    DateTimeOffset? StartedAt,
    DateTimeOffset? EndedAt,
    string? Outcome,
    string? Error
);

/// <summary>Links to what can be done with a task now; null while it cannot be done.</summary>
internal sealed record HeavyTaskLinks(string? Self, string? Cancel, string? Retry, string? Result, string? Delete);
