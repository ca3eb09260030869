using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class SubmitHeavyTask
{
    private const string IdempotencyKeyHeader = "Idempotency-Key";

    // Of the kinds that the answer for an unknown one names.
    private const int MaxNamedKinds = 50;

    private static readonly JsonTypeInfo RequestType = RequestJson.Options.GetTypeInfo(typeof(SubmitHeavyTaskRequest));

    /// <summary>
    /// Submits a heavy task. With an <c>Idempotency-Key</c> header (1 to 200 visible ASCII characters) a repeat of the same request answers
    /// 200 with the first task, and a different request with the same key answers 422.
    /// </summary>
    /// <param name="idempotencyKey">Identifies the request, so that a repeat of it does not create a second task.</param>
    public static async Task<
        Results<JsonAccepted<SubmittedHeavyTask>, JsonOk<SubmittedHeavyTask>, ValidationProblem, ProblemHttpResult>
    > HandleAsync(
        [FromHeader(Name = IdempotencyKeyHeader)] string? idempotencyKey,
        HttpRequest http,
        KnownKinds kinds,
        GroupCommit commit,
        WaitingTasks waiting,
        LinkGenerator links,
        IOptions<SubmitHeavyTaskOptions> options,
        TimeProvider time
    )
    {
        if (RequestBody.OpenJson(http, out var body) is { } refusal)
        {
            return refusal;
        }

        var now = time.GetUtcNow().UtcDateTime;
        var errors = new FieldErrors();
        CheckIdempotencyKey(http, errors);
        var json = await RequestJson.ReadAsync(body, HeavyTask.MaxParametersLength, errors, http.HttpContext.RequestAborted);
        var request = json is null ? null : (SubmitHeavyTaskRequest?)RequestReader.Read(json.Value, RequestType, path: "", errors);
        var kind = request is null
            ? null
            : await FindKindAsync(kinds, request.Kind, RequestJson.NameOf(json!.Value, "kind"), errors, http.HttpContext.RequestAborted);
        if (request?.DueAtUtc > now.AddYears(1))
        {
            errors.Add(RequestJson.NameOf(json!.Value, "dueAt"), "At most a year ahead.");
        }

        CheckTags(request?.Tags, json, errors);
        var written = AcceptedKind.ParametersOrNone(request?.Parameters);
        var parametersJson = kind?.Read(
            written,
            RequestJson.NameOf(json!.Value, "kind"),
            RequestJson.NameOf(json!.Value, "parameters"),
            errors
        );
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        var task = HeavyTask.Submit(
            kind!.Name,
            parametersJson!,
            request!.MaxFailures ?? options.Value.DefaultMaxFailures,
            now,
            request.DueAtUtc,
            idempotencyKey,
            idempotencyKey is null ? null : Hash(kind.Name, parametersJson!, request),
            http.HttpContext.User.TenantId(),
            http.HttpContext.User.ClientId(),
            [.. (request.Tags ?? []).Distinct(StringComparer.Ordinal)]
        );
        var path = links.TasksPath(http.HttpContext);
        if (await waiting.WhyNotAsync(http.HttpContext.User, http.HttpContext.RequestAborted) is { } reason)
        {
            // A repeat asks for no further task.
            var db = http.HttpContext.RequestServices.GetRequiredService<EngineContext>().Db;
            return
                idempotencyKey is not null
                && await db.HeavyTasks.AnyAsync(t => t.TenantId == task.TenantId && t.IdempotencyKey == idempotencyKey)
                ? await RepeatAsync(db, task, path)
                : ClientLimits.TooMany(http.HttpContext.Response, WaitingTasks.Fresh, reason);
        }

        if (!await SaveAsync(commit, task))
        {
            return await RepeatAsync(http.HttpContext.RequestServices.GetRequiredService<EngineContext>().Db, task, path);
        }

        var submitted = SubmittedHeavyTask.From(path, task.Id, task.Status);
        return JsonAnswer.Accepted(submitted.Links.Self, submitted);
    }

    /// <summary>Gives an example: a kind that needs no parameters, if there is one.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        // The framework gives the body the text of the header.
        if (operation.RequestBody is OpenApiRequestBody described)
        {
            described.Description = "The task: its kind, the parameters of the kind, and when and how often to try.";
        }

        var kinds = context.ApplicationServices.GetRequiredService<AcceptedKinds>().All;
        if (
            operation.RequestBody?.Content?.TryGetValue("application/json", out var body) == true
            && (kinds.FirstOrDefault(kind => !kind.NeedsParameters) ?? (kinds.Count > 0 ? kinds[0] : null)) is { } example
        )
        {
            body.Example = new JsonObject
            {
                ["kind"] = example.Name,
                ["parameters"] = new JsonObject(),
                ["maxFailures"] = HeavyTask.DefaultMaxFailures,
            };
        }

        return Task.CompletedTask;
    }

    private static void CheckTags(IReadOnlyList<string>? tags, JsonElement? json, FieldErrors errors)
    {
        foreach (var (index, tag) in (tags ?? []).Index())
        {
            if (!HeavyTaskTag.IsTag(tag))
            {
                errors.Add($"{RequestJson.NameOf(json!.Value, "tags")}[{index}]", HeavyTaskTag.Expected);
            }
        }
    }

    // Of simultaneous requests with one key to several processes, the unique index lets one through and the others wait.
    private static async Task<bool> SaveAsync(GroupCommit commit, HeavyTask task)
    {
        try
        {
            return await commit.SaveAsync(task);
        }
        catch (DbUpdateException exception) when (task.IdempotencyKey is not null && Dialect.Current.IsDuplicateKey(exception))
        {
            return false;
        }
    }

    private static async Task<
        Results<JsonAccepted<SubmittedHeavyTask>, JsonOk<SubmittedHeavyTask>, ValidationProblem, ProblemHttpResult>
    > RepeatAsync(DbContext db, HeavyTask repeated, string path)
    {
        var first = await db
            .HeavyTasks.Where(t => t.TenantId == repeated.TenantId && t.IdempotencyKey == repeated.IdempotencyKey)
            .Select(t => new
            {
                t.Id,
                t.Status,
                t.RequestHash,
            })
            .SingleOrDefaultAsync(CancellationToken.None);
        if (first is null)
        {
            return TypedResults.Problem(
                "The task with this Idempotency-Key was deleted while it was submitted again. Try again.",
                statusCode: StatusCodes.Status409Conflict
            );
        }

        return first.RequestHash.AsSpan().SequenceEqual(repeated.RequestHash)
            ? JsonAnswer.Ok(SubmittedHeavyTask.From(path, first.Id, first.Status))
            : TypedResults.Problem(
                $"This Idempotency-Key belongs to another request, which became task {first.Id}.",
                statusCode: StatusCodes.Status422UnprocessableEntity
            );
    }

    private static void CheckIdempotencyKey(HttpRequest http, FieldErrors errors)
    {
        var keys = http.Headers[IdempotencyKeyHeader];
        if (keys.Count > 1)
        {
            errors.Add(IdempotencyKeyHeader, RequestJson.Twice);
        }
        else if (keys.Count == 1 && !HeavyTask.IsIdempotencyKey(keys[0] ?? ""))
        {
            errors.Add(IdempotencyKeyHeader, $"1 to {HeavyTask.MaxIdempotencyKeyLength} visible ASCII characters are expected.");
        }
    }

    private static async Task<AcceptedKind?> FindKindAsync(
        KnownKinds kinds,
        string name,
        string field,
        FieldErrors errors,
        CancellationToken cancellationToken
    )
    {
        if (await kinds.FindAsync(name, cancellationToken) is { } kind)
        {
            return kind;
        }

        var known = await kinds.ListAsync(cancellationToken);
        var more = known.Count > MaxNamedKinds ? $" and {known.Count - MaxNamedKinds} more" : "";
        errors.Add(field, $"There is no such kind. Known kinds: {string.Join(", ", known.Take(MaxNamedKinds).Select(k => k.Name))}{more}.");
        return null;
    }

    // The hash covers what the client sent, not what the service added: a changed default must not turn a repeat into a different request.
    private static byte[] Hash(string kind, string parameters, SubmitHeavyTaskRequest request)
    {
        // A request without tags has the hash that it had before there were any.
        var tags = request.Tags is { Count: > 0 } some ? $"\n{string.Join(' ', some)}" : "";
        return SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{request.DueAtUtc?.Ticks}\n{request.MaxFailures}\n{parameters}{tags}"));
    }
}

/// <summary>The answer to <c>POST /heavy-tasks</c>.</summary>
/// <param name="Id">The id of the task.</param>
/// <param name="Status">The status of the task: Queued, or Scheduled when it is due later. For a repeated request, its status now.</param>
/// <param name="Links">Links to follow, cancel and download.</param>
internal sealed record SubmittedHeavyTask(
    Guid Id,
    [property: JsonConverter(typeof(JsonStringEnumConverter<HeavyTaskStatus>))] HeavyTaskStatus Status,
    SubmittedHeavyTaskLinks Links
)
{
    public static SubmittedHeavyTask From(string path, Guid id, HeavyTaskStatus status) =>
        new(id, status, new SubmittedHeavyTaskLinks($"{path}/{id}", $"{path}/{id}/cancel", $"{path}/{id}/result"));
}

/// <summary>Links of a task that was just submitted.</summary>
/// <param name="Self">Reads the task (GET).</param>
/// <param name="Cancel">Cancels the task (POST).</param>
/// <param name="Result">Downloads the result file, once there is one (GET).</param>
internal sealed record SubmittedHeavyTaskLinks(string Self, string Cancel, string Result);

/// <summary>The body of <c>POST /heavy-tasks</c>.</summary>
internal sealed record SubmitHeavyTaskRequest
{
    /// <summary>
    /// The kind of task to run: one that <c>GET /heavy-tasks/kinds</c> lists. Workers announce kinds when they start, so there may be more of
    /// them than when this document was made.
    /// </summary>
    [Required]
    public required string Kind { get; init; }

    /// <summary>The parameters of the kind. May be left out if the kind needs none.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>The earliest time to run the task (ISO 8601; UTC unless it has an offset), at most a year ahead. Default: now.</summary>
    public DateTime? DueAt { get; init; }

    /// <summary>The number of failures after which the task is given up, 1 to 100. Default: the setting of the service.</summary>
    [Range(1, HeavyTask.MaxMaxFailures)]
    public int? MaxFailures { get; init; }

    /// <summary>
    /// Words by which to find the task again, such as the number of an order: at most 10, each of 1 to 64 letters, digits and ._:/@#+-. Default:
    /// none.
    /// </summary>
    [MaxLength(HeavyTask.MaxTags)]
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>The value of <see cref="DueAt"/> in UTC.</summary>
    internal DateTime? DueAtUtc => DueAt is { } time ? RequestTime.ToUtc(time) : null;
}

/// <summary>Defaults and limits for submitted tasks. Section <c>HeavyTasks</c>.</summary>
public sealed class SubmitHeavyTaskOptions
{
    /// <summary>The <c>maxFailures</c> of a task that was submitted without one. Default 5; range 1 to 100.</summary>
    [Range(1, HeavyTask.MaxMaxFailures)]
    public int DefaultMaxFailures { get; set; } = HeavyTask.DefaultMaxFailures;

    /// <summary>
    /// How many transactions may save submitted tasks at the same time. Tasks that arrive while all of them are under way share the next
    /// one. Each transaction takes a connection of the pool while it lasts. Default 2; range 1 to 100.
    /// </summary>
    [Range(1, 100)]
    public int MaxConcurrentSaves { get; set; } = 2;

    /// <summary>
    /// Whether clients may submit the kinds that workers announce, beside those that the service was built with. Default true. False keeps
    /// kinds that only the application's own code should submit from clients.
    /// </summary>
    public bool AcceptAnnouncedKinds { get; set; } = true;
}
