using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class GetHeavyTaskLog
{
    /// <summary>
    /// Returns the last lines that the handler of a task logged for people, oldest first. An attempt keeps its last 1,000.
    /// </summary>
    /// <param name="id">The id of the task.</param>
    /// <param name="limit">The most lines, 1 to 1,000; default 50.</param>
    /// <param name="attempt">Returns only lines of this attempt. Default: of all.</param>
    public static async Task<Results<JsonOk<HeavyTaskLogResponse>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        Guid id,
        string? limit,
        string? attempt,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(http.Request.Query, "limit", "attempt");
        var size = PageLimit.Read(limit, errors, HeavyTaskLogLine.MaxLines);
        var ofAttempt = ReadAttempt(attempt, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        if (!await engine.Db.HeavyTasks.Of(http.User.TenantId()).AnyAsync(t => t.Id == id, cancellationToken))
        {
            return GetHeavyTask.NotFound(id);
        }

        var lines = http.SeesPayloads() ? await Last(engine.Db, id, ofAttempt, size + 1).ToListAsync(cancellationToken) : [];
        return JsonAnswer.Ok(
            new HeavyTaskLogResponse(
                [.. lines.Take(size).Reverse().Select(line => new LogLineResponse(line.Attempt, line.At, line.Level, line.Text))],
                lines.Count > size
            )
        );
    }

    /// <summary>The last lines of a task, the last one first.</summary>
    public static IQueryable<HeavyTaskLogLine> Last(DbContext db, Guid id, int? attempt, int count) =>
        db
            .HeavyTaskLogLines.AsNoTracking()
            .Where(line => line.TaskId == id && (attempt == null || line.Attempt == attempt))
            .OrderByDescending(line => line.Attempt)
            .ThenByDescending(line => line.Number)
            .Take(count);

    private static int? ReadAttempt(string? text, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var attempt) && attempt >= 1)
        {
            return attempt;
        }

        errors.Add("attempt", "A whole number from 1 on is expected.");
        return null;
    }

    /// <summary>Describes the numbers more closely than their type, which is text.</summary>
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
                "limit" => PageLimit.SchemaUpTo(HeavyTaskLogLine.MaxLines),
                "attempt" => new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" },
                _ => parameter.Schema,
            };
        }

        return Task.CompletedTask;
    }
}

/// <summary>What a handler logged.</summary>
/// <param name="Lines">The lines, oldest first; none for a client that does not see what tasks contain.</param>
/// <param name="HasEarlier">Whether there are earlier lines.</param>
internal sealed record HeavyTaskLogResponse(IReadOnlyList<LogLineResponse> Lines, bool HasEarlier);

/// <summary>A line.</summary>
/// <param name="Attempt">The attempt that wrote it.</param>
/// <param name="At">When (UTC, the worker's clock).</param>
/// <param name="Level">How important it is.</param>
/// <param name="Text">What it says.</param>
internal sealed record LogLineResponse(
    int Attempt,
    DateTime At,
    [property: JsonConverter(typeof(JsonStringEnumConverter<LogLevel>))] LogLevel Level,
    string Text
);
