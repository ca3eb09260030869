using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class GetHeavyTask
{
    /// <summary>A task with its attempts, its progress and what came of it.</summary>
    public static async Task<Results<Ok<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        PlatformDbContext db,
        CancellationToken cancellationToken
    ) => await ReadAsync(db, id, cancellationToken) is { } task ? TypedResults.Ok(task) : NotFound(id);

    /// <summary>The task as clients see it; null when there is none.</summary>
    internal static async Task<HeavyTaskResponse?> ReadAsync(PlatformDbContext db, Guid id, CancellationToken cancellationToken)
    {
        // One statement, so that task and attempts are of the same moment.
        var attempts = db.HeavyTaskAttempts;
        var row = await db
            .HeavyTasks.Where(t => t.Id == id)
            .Select(t => new
            {
                t.Id,
                t.Kind,
                t.Status,
                t.Attempt,
                t.Failures,
                t.Crashes,
                t.MaxAttempts,
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
                row.MaxAttempts,
                row.CancelRequested,
                row.CreatedAt,
                row.DueAt,
                row.QueuedAt,
                row.StartedAt,
                row.FinishedAt,
                new HeavyTaskProgress(row.ProgressDone, row.ProgressTotal, row.ProgressText),
                row.Result is null ? null : JsonElement.Parse(row.Result),
                row.Error,
                row.Attempts,
                HeavyTaskLinks.Of(row.Id, row.Status, row.ResultFileId is not null)
            );
    }

    internal static ProblemHttpResult NotFound(Guid id) =>
        TypedResults.Problem($"There is no task {id}.", statusCode: StatusCodes.Status404NotFound);
}

/// <summary>A heavy task.</summary>
/// <param name="Id">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempt">How often it was begun.</param>
/// <param name="Failures">Attempts that failed, counted against maxAttempts.</param>
/// <param name="Crashes">Attempts whose worker died.</param>
/// <param name="MaxAttempts">Failures after which it is given up.</param>
/// <param name="CancelRequested">Asked to stop while running.</param>
/// <param name="CreatedAt">When it was submitted (UTC).</param>
/// <param name="DueAt">Until when it waits (UTC); null when it does not.</param>
/// <param name="QueuedAt">When it last became Queued (UTC).</param>
/// <param name="StartedAt">When its latest attempt began (UTC).</param>
/// <param name="FinishedAt">When it ended (UTC).</param>
/// <param name="Progress">How far it is.</param>
/// <param name="Result">What its kind returns.</param>
/// <param name="Error">What went wrong last.</param>
/// <param name="Attempts">Every attempt, oldest first.</param>
/// <param name="Links">What can be done now.</param>
internal sealed record HeavyTaskResponse(
    Guid Id,
    string Kind,
    HeavyTaskStatus Status,
    int Attempt,
    int Failures,
    int Crashes,
    int MaxAttempts,
    bool CancelRequested,
    DateTime CreatedAt,
    DateTime? DueAt,
    DateTime? QueuedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    HeavyTaskProgress Progress,
    JsonElement? Result,
    string? Error,
    IReadOnlyList<HeavyTaskAttemptResponse> Attempts,
    HeavyTaskLinks Links
);

/// <summary>How far a task is.</summary>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, where they are known.</param>
/// <param name="Text">What it is doing.</param>
internal sealed record HeavyTaskProgress(long Done, long? Total, string? Text);

/// <summary>One attempt.</summary>
/// <param name="Attempt">1 for the first.</param>
/// <param name="Worker">Host and process that ran it.</param>
/// <param name="StartedAt">When it began (UTC).</param>
/// <param name="EndedAt">When it ended (UTC); null while it runs.</param>
/// <param name="Outcome">How it ended; null while it runs.</param>
/// <param name="Error">What went wrong.</param>
internal sealed record HeavyTaskAttemptResponse(
    int Attempt,
    string Worker,
    DateTime StartedAt,
    DateTime? EndedAt,
    AttemptOutcome? Outcome,
    string? Error
);

/// <summary>What can be done with a task now; a link is there only when its action is possible.</summary>
/// <param name="Self">The task (GET).</param>
/// <param name="Cancel">Cancels it (POST).</param>
/// <param name="Retry">Runs it again (POST).</param>
/// <param name="Result">Its result file (GET).</param>
internal sealed record HeavyTaskLinks(
    string Self,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Cancel = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Retry = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Result = null
)
{
    public static HeavyTaskLinks Of(Guid id, HeavyTaskStatus status, bool hasResultFile)
    {
        var self = $"/heavy-tasks/{id}";
        return new HeavyTaskLinks(
            self,
            !status.IsFinal() ? $"{self}/cancel" : null,
            status.IsRetryable() ? $"{self}/retry" : null,
            status is HeavyTaskStatus.Succeeded && hasResultFile ? $"{self}/result" : null
        );
    }
}
