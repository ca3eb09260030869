using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;
using Platform.Api.Problems;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class ListHeavyTasks
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    /// <summary>Tasks, newest first, page by page. As fast on the millionth task as on the first.</summary>
    /// <param name="status">Only tasks of this status.</param>
    /// <param name="kind">Only tasks of this kind.</param>
    /// <param name="cursor">Where to go on: <c>next</c> of the page before.</param>
    /// <param name="limit">Tasks a page, 1 to 200; default 50.</param>
    public static async Task<Results<Ok<HeavyTaskPage>, ValidationProblem>> HandleAsync(
        string? status,
        string? kind,
        string? cursor,
        string? limit,
        PlatformDbContext db,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        var ofStatus = ReadStatus(status, errors);
        var ofKind = ReadKind(kind, errors);
        var before = HeavyTaskCursor.Read(cursor, errors);
        var size = ReadLimit(limit, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        // One more than asked for says whether there is a next page.
        var items = await Newest(db, ofStatus, ofKind, before, size + 1).ToListAsync(cancellationToken);
        var more = items.Count > size;
        if (more)
        {
            items.RemoveAt(size);
        }

        return TypedResults.Ok(
            new HeavyTaskPage([.. items.Select(HeavyTaskSummary.From)], more ? HeavyTaskCursor.Write(items[^1].Id) : null)
        );
    }

    /// <summary>What the parameters are, beyond the text that they arrive as.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            parameter.Schema = parameter.Name switch
            {
                "limit" => new OpenApiSchema
                {
                    Type = JsonSchemaType.Integer,
                    Minimum = "1",
                    Maximum = $"{MaxLimit}",
                    Default = DefaultLimit,
                },
                "status" => new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Enum = [.. Enum.GetNames<HeavyTaskStatus>().Select(name => JsonValue.Create(name))],
                },
                _ => parameter.Schema,
            };
        }

        return Task.CompletedTask;
    }

    // Ids are version 7 UUIDs: their order is that of submission, and the keyset is the id alone.
    private static IQueryable<HeavyTaskRow> Newest(PlatformDbContext db, HeavyTaskStatus? status, string? kind, Guid? before, int count)
    {
        // Of a kind in any status: the newest of each status, read from the index on kind, status and id, then the newest of these few.
        // An index on kind and id would do the same, and would have to be written with every task.
        var newest =
            kind is not null && status is null
                ? Enum.GetValues<HeavyTaskStatus>().Select(s => Newest(db, s, kind, before, count)).Aggregate(Queryable.Concat)
                : Matching(db.HeavyTasks, status, kind, before)
                    .Select(t => new HeavyTaskRow
                    {
                        Id = t.Id,
                        Kind = t.Kind,
                        Status = t.Status,
                        Attempt = t.Attempt,
                        CreatedAt = t.CreatedAt,
                        StartedAt = t.StartedAt,
                        FinishedAt = t.FinishedAt,
                        ProgressDone = t.ProgressDone,
                        ProgressTotal = t.ProgressTotal,
                        ProgressText = t.ProgressText,
                        Error = t.Error,
                    });
        return newest.OrderByDescending(t => t.Id).Take(count);
    }

    private static IQueryable<HeavyTask> Matching(IQueryable<HeavyTask> tasks, HeavyTaskStatus? status, string? kind, Guid? before)
    {
        tasks = status is null ? tasks : tasks.Where(t => t.Status == status);
        tasks = kind is null ? tasks : tasks.Where(t => t.Kind == kind);
        return before is null ? tasks : tasks.Where(t => t.Id < before);
    }

    private static HeavyTaskStatus? ReadStatus(string? text, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        // By name only: TryParse would take numbers and lists too.
        if (Enum.GetNames<HeavyTaskStatus>().Contains(text, StringComparer.OrdinalIgnoreCase))
        {
            return Enum.Parse<HeavyTaskStatus>(text, ignoreCase: true);
        }

        errors.Add("status", $"One of {string.Join(", ", Enum.GetNames<HeavyTaskStatus>())} is expected.");
        return null;
    }

    private static string? ReadKind(string? text, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (text.Length <= 100 && !text.Any(char.IsControl))
        {
            return text;
        }

        errors.Add("kind", "At most 100 characters, without control characters.");
        return null;
    }

    private static int ReadLimit(string? text, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return DefaultLimit;
        }

        if (int.TryParse(text, out var limit) && limit is >= 1 and <= MaxLimit)
        {
            return limit;
        }

        errors.Add("limit", $"A whole number from 1 to {MaxLimit} is expected.");
        return DefaultLimit;
    }
}

/// <summary>One page of tasks.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Next">The cursor of the next page; null on the last.</param>
internal sealed record HeavyTaskPage(IReadOnlyList<HeavyTaskSummary> Items, string? Next);

/// <summary>A heavy task in a list.</summary>
/// <param name="Id">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempt">How often it was begun.</param>
/// <param name="CreatedAt">When it was submitted (UTC).</param>
/// <param name="StartedAt">When its latest attempt began (UTC).</param>
/// <param name="FinishedAt">When it ended (UTC).</param>
/// <param name="Progress">How far it is.</param>
/// <param name="Error">What went wrong last.</param>
/// <param name="Links">Where to read more.</param>
internal sealed record HeavyTaskSummary(
    Guid Id,
    string Kind,
    HeavyTaskStatus Status,
    int Attempt,
    DateTime CreatedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    HeavyTaskProgress Progress,
    string? Error,
    HeavyTaskSummaryLinks Links
)
{
    public static HeavyTaskSummary From(HeavyTaskRow row) =>
        new(
            row.Id,
            row.Kind,
            row.Status,
            row.Attempt,
            row.CreatedAt,
            row.StartedAt,
            row.FinishedAt,
            new HeavyTaskProgress(row.ProgressDone, row.ProgressTotal, row.ProgressText),
            row.Error,
            new HeavyTaskSummaryLinks($"/heavy-tasks/{row.Id}")
        );
}

/// <summary>Where to read more.</summary>
/// <param name="Self">The task (GET).</param>
internal sealed record HeavyTaskSummaryLinks(string Self);

/// <summary>The columns of a list; not the parameters and checkpoints, which can be large.</summary>
internal sealed record HeavyTaskRow
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    public HeavyTaskStatus Status { get; init; }

    public int Attempt { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? StartedAt { get; init; }

    public DateTime? FinishedAt { get; init; }

    public long ProgressDone { get; init; }

    public long? ProgressTotal { get; init; }

    public string? ProgressText { get; init; }

    public string? Error { get; init; }
}
