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
    /// <param name="tag">Lists only tasks with this tag.</param>
    /// <param name="createdFrom">Lists only tasks that were submitted then or later (ISO 8601; UTC unless it has an offset), to the millisecond.</param>
    /// <param name="createdBefore">Lists only tasks that were submitted before.</param>
    public static async Task<Results<JsonOk<HeavyTaskPage>, ValidationProblem>> HandleAsync(
        string? status,
        string? kind,
        string? cursor,
        string? limit,
        string? tag,
        string? createdFrom,
        string? createdBefore,
        HttpContext http,
        LinkGenerator links,
        EngineContext engine,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(http.Request.Query, "status", "kind", "tag", "createdFrom", "createdBefore", "cursor", "limit");
        var filter = new HeavyTaskFilter(
            http.User.TenantId(),
            ReadStatus(status, errors),
            ReadKind(kind, errors),
            ReadTag(tag, errors),
            RequestTime.Read(createdFrom, "createdFrom", errors),
            RequestTime.Read(createdBefore, "createdBefore", errors)
        );
        var before = HeavyTaskCursor.Read(cursor, errors);
        var size = PageLimit.Read(limit, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        // One row more than asked for shows whether there is a next page.
        var items = await filter.Newest(engine.Db, before, size + 1).ToListAsync(cancellationToken);
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
                "limit" => PageLimit.Schema,
                "status" => new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Enum = [.. Enum.GetNames<HeavyTaskStatus>().Select(name => JsonValue.Create(name))],
                },
                "createdFrom" or "createdBefore" => new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
                "tag" => new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = HeavyTaskTag.MaxLength },
                _ => parameter.Schema,
            };
        }

        return Task.CompletedTask;
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

    private static string? ReadTag(string? text, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (HeavyTaskTag.IsTag(text))
        {
            return text;
        }

        errors.Add("tag", HeavyTaskTag.Expected);
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
