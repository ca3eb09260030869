using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class GetHeavyTaskLog
{
    /// <summary>
    /// Returns the last lines that the handler of a task logged for people, oldest first, of all attempts. An attempt keeps its last 1,000.
    /// </summary>
    /// <param name="id">The id of the task.</param>
    /// <param name="limit">The most lines, 1 to 200; default 50.</param>
    public static async Task<Results<JsonOk<HeavyTaskLogResponse>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        Guid id,
        string? limit,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(http.Request.Query, "limit");
        var size = PageLimit.Read(limit, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        if (!await engine.Db.HeavyTasks.Of(http.User.TenantId()).AnyAsync(t => t.Id == id, cancellationToken))
        {
            return GetHeavyTask.NotFound(id);
        }

        var lines = http.SeesPayloads() ? await Last(engine.Db, id, size + 1).ToListAsync(cancellationToken) : [];
        return JsonAnswer.Ok(
            new HeavyTaskLogResponse(
                [.. lines.Take(size).Reverse().Select(line => new LogLineResponse(line.Attempt, line.At, line.Level, line.Text))],
                lines.Count > size
            )
        );
    }

    /// <summary>The last lines of a task, the last one first.</summary>
    public static IQueryable<HeavyTaskLogLine> Last(DbContext db, Guid id, int count) =>
        db
            .HeavyTaskLogLines.AsNoTracking()
            .Where(line => line.TaskId == id)
            .OrderByDescending(line => line.Attempt)
            .ThenByDescending(line => line.Number)
            .Take(count);

    /// <summary>Describes the limit more closely than its type, which is text.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>().Where(parameter => parameter.Name == "limit"))
        {
            parameter.Schema = PageLimit.Schema;
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
