using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// One heavy task: its request, its status and its outcome. The row is the truth; messages only say where to look. Only
/// <see cref="TaskLifecycle"/> changes the status.
/// </summary>
public class HeavyTask
{
    /// <summary>The longest error text kept, in characters.</summary>
    public const int MaxErrorLength = 8_000;

    /// <summary>The longest progress text kept, in characters.</summary>
    public const int MaxProgressTextLength = 500;

    /// <summary>The longest parameters, in bytes of JSON: 64 KiB. Put data into a file and name it in the parameters.</summary>
    public const int MaxParametersLength = 64 * 1024;

    /// <summary>The longest result, in bytes of JSON: 1 MiB. What is longer belongs in a result file.</summary>
    public const int MaxResultLength = 1024 * 1024;

    /// <summary>The longest state of a checkpoint, in bytes of JSON: 1 MiB. It is written again with each checkpoint.</summary>
    public const int MaxCheckpointLength = 1024 * 1024;

    /// <summary>The longest <see cref="IdempotencyKey"/>, in characters.</summary>
    public const int MaxIdempotencyKeyLength = 200;

    /// <summary>The most tags of a task.</summary>
    internal const int MaxTags = 10;

    /// <summary>The length of a <see cref="TraceId"/>, in characters.</summary>
    internal const int TraceIdLength = 32;

    /// <summary>The <see cref="MaxFailures"/> of a task that was submitted without one.</summary>
    public const int DefaultMaxFailures = 5;

    /// <summary>The largest <see cref="MaxFailures"/> allowed.</summary>
    public const int MaxMaxFailures = 100;

    /// <summary>Used by Entity Framework and by the proxies that it may make.</summary>
    protected HeavyTask() { }

    /// <summary>The id of the task: a version 7 UUID, so ids sort by time of submission.</summary>
    public Guid Id { get; private init; }

    /// <summary>The name of the kind; decides handler and queue.</summary>
    public string Kind { get; private init; } = "";

    /// <summary>
    /// The tenant that submitted the task and alone sees it through the HTTP endpoints; empty when it belongs to no tenant.
    /// </summary>
    public string TenantId { get; private init; } = "";

    /// <summary>The status of the task.</summary>
    public HeavyTaskStatus Status { get; private set; }

    /// <summary>The parameters as JSON. Never logged.</summary>
    public string Parameters { get; private init; } = "";

    /// <summary>The id of the process that runs the task; null unless <see cref="HeavyTaskStatus.Running"/>.</summary>
    public Guid? Owner { get; private set; }

    /// <summary>
    /// The number of the latest attempt. It rises by one with every claim and never falls; together with the owner it is the fence.
    /// </summary>
    public int Attempt { get; private set; }

    /// <summary>How many attempts ended in an exception or exceeded <c>RunTimeout</c>; counted against <see cref="MaxFailures"/>.</summary>
    public int Failures { get; private set; }

    /// <summary>How many attempts ended because their owner died; counted against the worker's <c>MaxCrashes</c>.</summary>
    public int Crashes { get; private set; }

    /// <summary>The number of failures after which the task is <see cref="HeavyTaskStatus.Failed"/>.</summary>
    public int MaxFailures { get; private init; }

    /// <summary>Whether somebody asked to cancel the task while it ran; its worker sees this within about a second.</summary>
    public bool CancelRequested { get; private set; }

    /// <summary>When a <see cref="HeavyTaskStatus.Scheduled"/> task becomes due (UTC, compared with the database's clock).</summary>
    public DateTime? DueAt { get; private set; }

    /// <summary>When the task was submitted (UTC).</summary>
    public DateTime CreatedAt { get; private init; }

    /// <summary>When the task last became <see cref="HeavyTaskStatus.Queued"/>, or its lost message was published again (UTC).</summary>
    public DateTime? QueuedAt { get; private set; }

    /// <summary>When the latest attempt began (UTC, the database's clock).</summary>
    public DateTime? StartedAt { get; private set; }

    /// <summary>When the task reached its final status (UTC).</summary>
    public DateTime? FinishedAt { get; private set; }

    /// <summary>Units done, as the handler reported.</summary>
    public long ProgressDone { get; private set; }

    /// <summary>Units in all, if the handler knows.</summary>
    public long? ProgressTotal { get; private set; }

    /// <summary>What the handler is doing, for people.</summary>
    public string? ProgressText { get; private set; }

    /// <summary>The state of the last checkpoint as JSON; the next attempt starts from it.</summary>
    public string? Checkpoint { get; private set; }

    /// <summary>The result as JSON.</summary>
    public string? Result { get; private set; }

    /// <summary>The result file; visible when the task has succeeded.</summary>
    public Guid? ResultFileId { get; private set; }

    /// <summary>The error of the last attempt, until the next one begins; each attempt keeps its own.</summary>
    public string? Error { get; private set; }

    /// <summary>The client's <c>Idempotency-Key</c>; unique in its tenant while the row is kept.</summary>
    public string? IdempotencyKey { get; private init; }

    /// <summary>SHA-256 of the request that came with the key.</summary>
    public byte[]? RequestHash { get; private init; }

    /// <summary>
    /// The client that submitted the task, through the HTTP endpoints or the dashboard: the id of its key, or what else the application knows it by;
    /// null when code did.
    /// </summary>
    public string? SubmittedBy { get; private init; }

    /// <summary>
    /// The id of the trace in which the task was submitted (W3C Trace Context: 32 hexadecimal digits); null when there was none. The spans of its
    /// attempts belong to the same trace.
    /// </summary>
    public string? TraceId { get; private init; }

    /// <summary>The tags that a new task is submitted with; they are rows of their own (<see cref="HeavyTaskTag"/>).</summary>
    internal IReadOnlyList<string> NewTags { get; private init; } = [];

    /// <summary>Whether a text can be an <see cref="IdempotencyKey"/>: 1 to 200 visible ASCII characters.</summary>
    internal static bool IsIdempotencyKey(string text) =>
        text.Length is > 0 and <= MaxIdempotencyKeyLength && !text.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>The lowest id that a task can have that was submitted at this time, to the millisecond, or later.</summary>
    internal static Guid FirstIdAt(DateTime utc)
    {
        // A version 7 UUID: 48 bits of milliseconds since 1970, then the version, the variant, and what is random (RFC 9562, 5.7).
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        var milliseconds = Math.Max(0, new DateTimeOffset(utc, TimeSpan.Zero).ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes, milliseconds << 16);
        (bytes[6], bytes[8]) = (0x70, 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>
    /// Creates a task: <see cref="HeavyTaskStatus.Scheduled"/> when <paramref name="dueAt"/> lies in the future, else queued.
    /// </summary>
    internal static HeavyTask Submit(
        string kind,
        string parameters,
        int maxFailures,
        DateTime now,
        DateTime? dueAt = null,
        string? idempotencyKey = null,
        byte[]? requestHash = null,
        string tenantId = "",
        string? submittedBy = null,
        IReadOnlyList<string>? tags = null
    )
    {
        var later = dueAt > now;
        return new HeavyTask
        {
            Id = Guid.CreateVersion7(new DateTimeOffset(now, TimeSpan.Zero)),
            Kind = kind,
            TenantId = tenantId,
            Parameters = parameters,
            MaxFailures = maxFailures,
            Status = later ? HeavyTaskStatus.Scheduled : HeavyTaskStatus.Queued,
            DueAt = later ? dueAt : null,
            QueuedAt = later ? null : now,
            CreatedAt = now,
            IdempotencyKey = idempotencyKey,
            RequestHash = requestHash,
            SubmittedBy = submittedBy,
            TraceId = Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity ? activity.TraceId.ToHexString() : null,
            NewTags = tags ?? [],
        };
    }

    /// <summary>
    /// Creates a stand-in for the row of a task that this attempt owns, so that the row can be attached and completed without being read
    /// again. Status, attempt and owner are concurrency tokens, so to save it is to check the fence.
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
