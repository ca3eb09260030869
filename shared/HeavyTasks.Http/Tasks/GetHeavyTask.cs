using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class GetHeavyTask
{
    /// <summary>Returns a task with its attempts, progress and result.</summary>
    public static async Task<Results<JsonOk<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        LinkGenerator links,
        EngineContext engine,
        CancellationToken cancellationToken
    ) => await ReadAsync(engine.Db, id, http, links.TasksPath(http), cancellationToken) is { } task ? JsonAnswer.Ok(task) : NotFound(id);

    /// <summary>Reads the task as this client sees it; null if there is no such task, or if it is another tenant's.</summary>
    /// <param name="path">The path of the list of tasks: <see cref="EndpointPaths.TasksPath"/>.</param>
    internal static async Task<HeavyTaskResponse?> ReadAsync(
        DbContext db,
        Guid id,
        HttpContext http,
        string path,
        CancellationToken cancellationToken
    )
    {
        var sees = http.SeesPayloads();

        // One statement reads both, so task and attempts come from the same moment.
        var (attempts, tags) = (db.HeavyTaskAttempts, db.HeavyTaskTags);
        var row = await db
            .HeavyTasks.Of(http.User.TenantId())
            .Where(t => t.Id == id)
            .Select(t => new
            {
                t.Id,
                t.Kind,
                t.Status,
                t.Attempt,
                t.Failures,
                t.Crashes,
                t.MaxFailures,
                t.CancelRequested,
                t.CreatedAt,
                t.DueAt,
                t.QueuedAt,
                t.StartedAt,
                t.FinishedAt,
                t.ProgressDone,
                t.ProgressTotal,
                t.ProgressText,
                t.Result,
                t.ResultFileId,
                t.Error,
                t.SubmittedBy,
                t.TraceId,
                Tags = tags.Where(tag => tag.TaskId == t.Id).OrderBy(tag => tag.Tag).Select(tag => tag.Tag).ToList(),
                Attempts = attempts
                    .Where(a => a.TaskId == t.Id)
                    .OrderBy(a => a.Attempt)
                    .Select(a => new HeavyTaskAttemptResponse(a.Attempt, a.Worker, a.StartedAt, a.EndedAt, a.Outcome, a.Error))
                    .ToList(),
            })
            .SingleOrDefaultAsync(cancellationToken);
        return row is null
            ? null
            : new HeavyTaskResponse(
                row.Id,
                row.Kind,
                row.Status,
                row.Attempt,
                row.Failures,
                row.Crashes,
                row.MaxFailures,
                row.CancelRequested,
                row.CreatedAt,
                row.DueAt,
                row.QueuedAt,
                row.StartedAt,
                row.FinishedAt,
                new HeavyTaskProgress(row.ProgressDone, row.ProgressTotal, sees ? row.ProgressText : null),
                row.Result is null || !sees ? null : JsonElement.Parse(row.Result),
                sees ? row.Error : null,
                row.Tags,
                row.SubmittedBy,
                row.TraceId,
                sees ? row.Attempts : [.. row.Attempts.Select(attempt => attempt with { Error = null })],
                HeavyTaskLinks.Of(path, row.Id, row.Status, row.ResultFileId is not null)
            );
    }

    internal static ProblemHttpResult NotFound(Guid id) =>
        TypedResults.Problem($"There is no task {id}.", statusCode: StatusCodes.Status404NotFound);
}

/// <summary>A heavy task.</summary>
/// <param name="Id">The id of the task.</param>
/// <param name="Kind">The kind of the task.</param>
/// <param name="Status">The status of the task.</param>
/// <param name="Attempt">The number of the latest attempt; 0 before the first.</param>
/// <param name="Failures">How many attempts failed; counted against maxFailures.</param>
/// <param name="Crashes">How many attempts ended because their worker died.</param>
/// <param name="MaxFailures">The number of failures after which the task is given up.</param>
/// <param name="CancelRequested">Whether a client asked to cancel the task while it ran.</param>
/// <param name="CreatedAt">When it was submitted (UTC).</param>
/// <param name="DueAt">The time until which the task waits (UTC); null when it does not wait for a time.</param>
/// <param name="QueuedAt">When it last became Queued (UTC).</param>
/// <param name="StartedAt">When the latest attempt began (UTC).</param>
/// <param name="FinishedAt">When the task ended (UTC).</param>
/// <param name="Progress">How far the task has come.</param>
/// <param name="Result">The result that the handler set; null to a client that does not see what tasks contain, and so are errors and the text of the progress.</param>
/// <param name="Error">The error of the last attempt, until the next one begins; each attempt keeps its own.</param>
/// <param name="Tags">The tags with which it was submitted.</param>
/// <param name="SubmittedBy">The client that submitted it: the id of its key, or the subject of its token; null when code did.</param>
/// <param name="TraceId">The id of the trace in which it was submitted, and to which the spans of its attempts belong; null for none.</param>
/// <param name="Attempts">All attempts, oldest first.</param>
/// <param name="Links">The actions that are possible now.</param>
internal sealed record HeavyTaskResponse(
    Guid Id,
    string Kind,
    [property: JsonConverter(typeof(JsonStringEnumConverter<HeavyTaskStatus>))] HeavyTaskStatus Status,
    int Attempt,
    int Failures,
    int Crashes,
    int MaxFailures,
    bool CancelRequested,
    DateTime CreatedAt,
    DateTime? DueAt,
    DateTime? QueuedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    HeavyTaskProgress Progress,
    JsonElement? Result,
    string? Error,
    IReadOnlyList<string> Tags,
    string? SubmittedBy,
    string? TraceId,
    IReadOnlyList<HeavyTaskAttemptResponse> Attempts,
    HeavyTaskLinks Links
);

/// <summary>The progress of a task.</summary>
/// <param name="Done">Units done so far.</param>
/// <param name="Total">Units in all, if known.</param>
/// <param name="Text">What the task is doing.</param>
internal sealed record HeavyTaskProgress(long Done, long? Total, string? Text);

/// <summary>One attempt of a task.</summary>
/// <param name="Attempt">The number of the attempt; 1 for the first.</param>
/// <param name="Worker">The host and process that ran the attempt.</param>
/// <param name="StartedAt">When the attempt began (UTC).</param>
/// <param name="EndedAt">When the attempt ended (UTC); null while it runs.</param>
/// <param name="Outcome">How the attempt ended; null while it runs.</param>
/// <param name="Error">What went wrong.</param>
internal sealed record HeavyTaskAttemptResponse(
    int Attempt,
    string Worker,
    DateTime StartedAt,
    DateTime? EndedAt,
    [property: JsonConverter(typeof(JsonStringEnumConverter<AttemptOutcome>))] AttemptOutcome? Outcome,
    string? Error
);

/// <summary>Links to what can be done with a task now; a link is absent while its action is not possible.</summary>
/// <param name="Self">Reads the task (GET).</param>
/// <param name="Cancel">Cancels the task (POST).</param>
/// <param name="Retry">Runs the task again (POST).</param>
/// <param name="Result">Downloads the result file (GET).</param>
/// <param name="Delete">Deletes the task (DELETE).</param>
/// <param name="Log">Reads what the handler logged (GET).</param>
internal sealed record HeavyTaskLinks(
    string Self,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Cancel = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Retry = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Result = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Delete = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Log = null
)
{
    public static HeavyTaskLinks Of(string path, Guid id, HeavyTaskStatus status, bool hasResultFile)
    {
        var self = $"{path}/{id}";
        return new HeavyTaskLinks(
            self,
            !status.IsFinal() ? $"{self}/cancel" : null,
            status.IsRetryable() ? $"{self}/retry" : null,
            status is HeavyTaskStatus.Succeeded && hasResultFile ? $"{self}/result" : null,
            status.IsFinal() ? self : null,
            $"{self}/log"
        );
    }
}
