using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class ListHeavyTasks
{
    /// <summary>Lists tasks, newest first, page by page. Late pages are as fast as the first.</summary>
    /// <param name="status">Lists only tasks with this status.</param>
    /// <param name="kind">Lists only tasks of this kind.</param>
    /// <param name="cursor">Where the page begins: the <c>next</c> of the page before.</param>
    /// <param name="limit">The number of tasks on a page, 1 to 200; default 50.</param>
    public static async Task<Results<JsonOk<HeavyTaskPage>, ValidationProblem>> HandleAsync(
        string? status,
        string? kind,
        string? cursor,
        string? limit,
        HttpContext http,
        LinkGenerator links,
        EngineContext engine,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(http.Request.Query, "status", "kind", "cursor", "limit");
        var ofStatus = ReadStatus(status, errors);
        var ofKind = ReadKind(kind, errors);
        var before = HeavyTaskCursor.Read(cursor, errors);
        var size = PageLimit.Read(limit, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        // One row more than asked for shows whether there is a next page.
        var items = await Newest(engine.Db, http.User.TenantId(), ofStatus, ofKind, before, size + 1).ToListAsync(cancellationToken);
        var more = items.Count > size;
        if (more)
        {
            items.RemoveAt(size);
        }

        var path = links.TasksPath(http);
        var sees = http.SeesPayloads();
        return JsonAnswer.Ok(
            new HeavyTaskPage(
                [.. items.Select(row => HeavyTaskSummary.From(row, path, sees))],
                more ? HeavyTaskCursor.Write(items[^1].Id) : null
            )
        );
    }

    /// <summary>Describes the parameters more closely than their type, which is text.</summary>
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
                    Maximum = $"{PageLimit.Max}",
                    Default = PageLimit.Default,
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

    /// <summary>
    /// The newest tasks that match. Ids are version 7 UUIDs, which sort in order of submission, so the id alone is the keyset.
    /// </summary>
    public static IQueryable<HeavyTaskRow> Newest(
        DbContext db,
        string tenantId,
        HeavyTaskStatus? status,
        string? kind,
        Guid? before,
        int count
    ) =>
        // The ids first, which an index gives in order. Asked for whole rows, MariaDB rather merges two indexes and sorts what it found, which
        // takes a second among a million tasks.
        NewestIds(db.HeavyTasks.Of(tenantId), isNarrow: tenantId != Tenants.None, status, kind, before, count)
            .Join(
                db.HeavyTasks,
                id => id,
                t => t.Id,
                (_, t) =>
                    new HeavyTaskRow
                    {
                        Id = t.Id,
                        Kind = t.Kind,
                        TenantId = t.TenantId,
                        Status = t.Status,
                        Attempt = t.Attempt,
                        CreatedAt = t.CreatedAt,
                        StartedAt = t.StartedAt,
                        FinishedAt = t.FinishedAt,
                        ProgressDone = t.ProgressDone,
                        ProgressTotal = t.ProgressTotal,
                        ProgressText = t.ProgressText,
                        Error = t.Error,
                    }
            )
            .OrderByDescending(t => t.Id);

    private static IQueryable<Guid> NewestIds(
        IQueryable<HeavyTask> tasks,
        bool isNarrow,
        HeavyTaskStatus? status,
        string? kind,
        Guid? before,
        int count
    )
    {
        // For one kind or one tenant in any status: takes the newest of each status from the index on kind (or tenant), status and id, then
        // the newest of these few. An index on kind and id would serve as well, but every new task would have to be written to it.
        var newest =
            status is null && (kind is not null || isNarrow)
                ? Enum.GetValues<HeavyTaskStatus>()
                    .Select(s => NewestIds(tasks, isNarrow, s, kind, before, count))
                    .Aggregate(Queryable.Concat)
                : Matching(tasks, status, kind, before).Select(t => t.Id);
        return newest.OrderByDescending(id => id).Take(count);
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

        // TryParse would also accept numbers and lists, so the names are compared.
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

        if (text.Length <= 100 && !text.Any(char.IsControl) && StorableText.IsStorable(text))
        {
            return text;
        }

        errors.Add("kind", "At most 100 characters, without control characters.");
        return null;
    }
}

/// <summary>One page of tasks.</summary>
/// <param name="Items">The tasks, newest first.</param>
/// <param name="Next">The cursor of the next page; null on the last page.</param>
internal sealed record HeavyTaskPage(IReadOnlyList<HeavyTaskSummary> Items, string? Next);

/// <summary>A heavy task in a list.</summary>
/// <param name="Id">The id of the task.</param>
/// <param name="Kind">The kind of the task.</param>
/// <param name="Status">The status of the task.</param>
/// <param name="Attempt">The number of the latest attempt; 0 before the first.</param>
/// <param name="CreatedAt">When the task was submitted (UTC).</param>
/// <param name="StartedAt">When the latest attempt began (UTC).</param>
/// <param name="FinishedAt">When the task ended (UTC).</param>
/// <param name="Progress">How far the task has come.</param>
/// <param name="Error">The last error.</param>
/// <param name="Links">Where to read more.</param>
internal sealed record HeavyTaskSummary(
    Guid Id,
    string Kind,
    [property: JsonConverter(typeof(JsonStringEnumConverter<HeavyTaskStatus>))] HeavyTaskStatus Status,
    int Attempt,
    DateTime CreatedAt,
    DateTime? StartedAt,
    DateTime? FinishedAt,
    HeavyTaskProgress Progress,
    string? Error,
    HeavyTaskSummaryLinks Links
)
{
    public static HeavyTaskSummary From(HeavyTaskRow row, string path, bool seesPayloads) =>
        new(
            row.Id,
            row.Kind,
            row.Status,
            row.Attempt,
            row.CreatedAt,
            row.StartedAt,
            row.FinishedAt,
            new HeavyTaskProgress(row.ProgressDone, row.ProgressTotal, seesPayloads ? row.ProgressText : null),
            seesPayloads ? row.Error : null,
            new HeavyTaskSummaryLinks($"{path}/{row.Id}")
        );
}

/// <summary>Links to more about a task in a list.</summary>
/// <param name="Self">Reads the task (GET).</param>
internal sealed record HeavyTaskSummaryLinks(string Self);

/// <summary>The columns that a list shows; the parameters and checkpoints are left out, because they can be large.</summary>
internal sealed record HeavyTaskRow
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    public string TenantId { get; init; } = "";

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
