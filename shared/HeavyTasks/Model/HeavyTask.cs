using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// One heavy task: its request, where it stands, and what came of it. The row is the truth; messages only say where to look.
/// <see cref="TaskLifecycle"/> is the one place that changes where it stands.
/// </summary>
public class HeavyTask
{
    /// <summary>Longest error text kept, in characters.</summary>
    public const int MaxErrorLength = 8_000;

    /// <summary>Longest progress text kept, in characters.</summary>
    public const int MaxProgressTextLength = 500;

    /// <summary>Longest parameters, in bytes of JSON: 64 KiB. Data belongs into a file; parameters only name it.</summary>
    public const int MaxParametersLength = 64 * 1024;

    /// <summary>Longest <see cref="IdempotencyKey"/>, in characters.</summary>
    public const int MaxIdempotencyKeyLength = 200;

    /// <summary><see cref="MaxAttempts"/> of a task that does not say.</summary>
    public const int DefaultMaxAttempts = 5;

    /// <summary>Largest <see cref="MaxAttempts"/>.</summary>
    public const int MaxMaxAttempts = 100;

    /// <summary>For Entity Framework, and for the proxies that it may make.</summary>
    protected HeavyTask() { }

    /// <summary>Version 7 UUID, so ids sort by time of submission.</summary>
    public Guid Id { get; private init; }

    /// <summary>Name of the kind; decides handler and queue.</summary>
    public string Kind { get; private init; } = "";

    /// <summary>Where it stands.</summary>
    public HeavyTaskStatus Status { get; private set; }

    /// <summary>The parameters as JSON. Never logged.</summary>
    public string Parameters { get; private init; } = "";

    /// <summary>The process that runs it; null unless <see cref="HeavyTaskStatus.Running"/>.</summary>
    public Guid? Owner { get; private set; }

    /// <summary>Rises by one with every claim and never falls: with the owner it is the fence.</summary>
    public int Attempt { get; private set; }

    /// <summary>Attempts that ended in an exception or ran into <c>RunTimeout</c>; counted against <see cref="MaxAttempts"/>.</summary>
    public int Failures { get; private set; }

    /// <summary>Attempts whose owner died; counted against the worker's <c>MaxCrashes</c>.</summary>
    public int Crashes { get; private set; }

    /// <summary>Failures after which the task is <see cref="HeavyTaskStatus.Failed"/>.</summary>
    public int MaxAttempts { get; private init; }

    /// <summary>Asked to stop while running; its worker sees this within about a second.</summary>
    public bool CancelRequested { get; private set; }

    /// <summary>When a <see cref="HeavyTaskStatus.Scheduled"/> task becomes due (UTC, against the database's clock).</summary>
    public DateTime? DueAt { get; private set; }

    /// <summary>When it was submitted (UTC).</summary>
    public DateTime CreatedAt { get; private init; }

    /// <summary>When it last became <see cref="HeavyTaskStatus.Queued"/> (UTC).</summary>
    public DateTime? QueuedAt { get; private set; }

    /// <summary>When its latest attempt began (UTC, the database's clock).</summary>
    public DateTime? StartedAt { get; private set; }

    /// <summary>When it reached its terminal status (UTC).</summary>
    public DateTime? FinishedAt { get; private set; }

    /// <summary>Units done, as the handler reported.</summary>
    public long ProgressDone { get; private set; }

    /// <summary>Units in all, where the handler knows.</summary>
    public long? ProgressTotal { get; private set; }

    /// <summary>What the handler is doing, for people.</summary>
    public string? ProgressText { get; private set; }

    /// <summary>The state of the last checkpoint as JSON; the next attempt starts from it.</summary>
    public string? Checkpoint { get; private set; }

    /// <summary>The result as JSON.</summary>
    public string? Result { get; private set; }

    /// <summary>The result file; visible once the task succeeded.</summary>
    public Guid? ResultFileId { get; private set; }

    /// <summary>What went wrong last; kept while the task waits for its retry.</summary>
    public string? Error { get; private set; }

    /// <summary>The client's <c>Idempotency-Key</c>; unique while the row is kept.</summary>
    public string? IdempotencyKey { get; private init; }

    /// <summary>SHA-256 of the request that came with the key.</summary>
    public byte[]? RequestHash { get; private init; }

    /// <summary>Whether a text can be an <see cref="IdempotencyKey"/>: 1 to 200 visible ASCII characters.</summary>
    internal static bool IsIdempotencyKey(string text) =>
        text.Length is > 0 and <= MaxIdempotencyKeyLength && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>A new task: <see cref="HeavyTaskStatus.Scheduled"/> when <paramref name="dueAt"/> lies ahead, else queued.</summary>
    internal static HeavyTask Submit(
        string kind,
        string parameters,
        int maxAttempts,
        DateTime now,
        DateTime? dueAt = null,
        string? idempotencyKey = null,
        byte[]? requestHash = null
    )
    {
        var later = dueAt > now;
        return new HeavyTask
        {
            Id = Guid.CreateVersion7(new DateTimeOffset(now, TimeSpan.Zero)),
            Kind = kind,
            Parameters = parameters,
            MaxAttempts = maxAttempts,
            Status = later ? HeavyTaskStatus.Scheduled : HeavyTaskStatus.Queued,
            DueAt = later ? dueAt : null,
            QueuedAt = later ? null : now,
            CreatedAt = now,
            IdempotencyKey = idempotencyKey,
            RequestHash = requestHash,
        };
    }

    /// <summary>
    /// A stand-in for the row of a task that this attempt owns, to be attached and completed without reading it again.
    /// Status, attempt and owner are concurrency tokens: saving it is the fence.
    /// </summary>
    internal static HeavyTask Owned(HeavyTaskFence fence) =>
        new()
        {
            Id = fence.TaskId,
            Attempt = fence.Attempt,
            Owner = fence.Owner,
            Status = HeavyTaskStatus.Running,
        };

    /// <summary>Running to Succeeded, on a tracked <see cref="Owned"/> row.</summary>
    internal void Succeed(HeavyTaskSuccess success)
    {
        ArgumentNullException.ThrowIfNull(success);
        if (Status != HeavyTaskStatus.Running)
        {
            throw new InvalidOperationException($"Only a running task can succeed; this one is {Status}.");
        }

        Status = HeavyTaskStatus.Succeeded;
        Owner = null;
        FinishedAt = success.FinishedAt;
        Result = success.Result;
        ResultFileId = success.ResultFileId;
        ProgressDone = success.Done;
        ProgressTotal = success.Total;
        ProgressText = success.Text;
    }
}
