using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Platform.Api.Problems;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class SubmitHeavyTask
{
    private const string IdempotencyKeyHeader = "Idempotency-Key";

    private static readonly JsonTypeInfo RequestType = HeavyTaskJson.Options.GetTypeInfo(typeof(SubmitHeavyTaskRequest));

    /// <summary>
    /// Accepts a heavy task. With an <c>Idempotency-Key</c> header, 1 to 200 visible ASCII characters, the same request again answers 200
    /// with the first task, and another request with that key is refused with 422.
    /// </summary>
    /// <param name="idempotencyKey">Makes a repeated request the same request.</param>
    public static async Task<
        Results<Accepted<SubmittedHeavyTask>, Ok<SubmittedHeavyTask>, ValidationProblem, ProblemHttpResult>
    > HandleAsync(
        [FromHeader(Name = IdempotencyKeyHeader)] string? idempotencyKey,
        HttpRequest http,
        GroupCommit commit,
        IOptions<SubmitHeavyTaskOptions> options,
        TimeProvider time
    )
    {
        if (!http.HasJsonContentType())
        {
            return TypedResults.Problem(
                "The content type must be application/json.",
                statusCode: StatusCodes.Status415UnsupportedMediaType
            );
        }

        var now = time.GetUtcNow().UtcDateTime;
        var errors = new FieldErrors();
        CheckIdempotencyKey(idempotencyKey, errors);
        var request = (SubmitHeavyTaskRequest?)await RequestReader.ReadBodyAsync(http, RequestType, errors);
        var kind = request is null ? null : FindKind(request.Kind, errors);
        if (request?.DueAtUtc > now.AddYears(1))
        {
            errors.Add("dueAt", "At most a year ahead.");
        }

        var parameters = kind is null
            ? null
            : RequestReader.Read(AcceptedKind.ParametersOrNone(request!.Parameters), kind.Parameters, "parameters", errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        var parametersJson = JsonSerializer.Serialize(parameters, kind!.Parameters);
        var task = HeavyTask.Submit(
            kind.Name,
            parametersJson,
            request!.MaxAttempts ?? options.Value.DefaultMaxAttempts,
            now,
            request.DueAtUtc,
            idempotencyKey,
            idempotencyKey is null ? null : Hash(kind.Name, parametersJson, request)
        );
        try
        {
            await commit.SaveAsync(task);
        }
        catch (DbUpdateException exception) when (idempotencyKey is not null && DatabaseProvider.IsDuplicateKey(exception))
        {
            return await RepeatAsync(http.HttpContext.RequestServices.GetRequiredService<PlatformDbContext>(), task);
        }

        var submitted = SubmittedHeavyTask.From(task.Id, task.Status);
        return TypedResults.Accepted(submitted.Links.Self, submitted);
    }

    // The key is taken, perhaps by a request of the same moment: the unique index lets one of them through and the others wait for it.
    private static async Task<
        Results<Accepted<SubmittedHeavyTask>, Ok<SubmittedHeavyTask>, ValidationProblem, ProblemHttpResult>
    > RepeatAsync(PlatformDbContext db, HeavyTask repeated)
    {
        var first = await db
            .HeavyTasks.Where(t => t.IdempotencyKey == repeated.IdempotencyKey)
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
            ? TypedResults.Ok(SubmittedHeavyTask.From(first.Id, first.Status))
            : TypedResults.Problem(
                $"This Idempotency-Key belongs to another request, which became task {first.Id}.",
                statusCode: StatusCodes.Status422UnprocessableEntity
            );
    }

    private static void CheckIdempotencyKey(string? key, FieldErrors errors)
    {
        if (key is not null && !HeavyTask.IsIdempotencyKey(key))
        {
            errors.Add(IdempotencyKeyHeader, $"1 to {HeavyTask.MaxIdempotencyKeyLength} visible ASCII characters are expected.");
        }
    }

    private static AcceptedKind? FindKind(string name, FieldErrors errors)
    {
        if (AcceptedKinds.ByName.TryGetValue(name, out var kind))
        {
            return kind;
        }

        errors.Add("kind", $"There is no such kind. Known kinds: {string.Join(", ", AcceptedKinds.ByName.Keys.Order())}.");
        return null;
    }

    // Over what the client asked for, not over what the service made of it: another default must not turn a repeat into another request.
    private static byte[] Hash(string kind, string parameters, SubmitHeavyTaskRequest request) =>
        SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{request.DueAtUtc?.Ticks}\n{request.MaxAttempts}\n{parameters}"));
}

/// <summary>What <c>POST /heavy-tasks</c> answers.</summary>
/// <param name="Id">The task.</param>
/// <param name="Status">Where it stands: Queued, or Scheduled when it is due later; of a repeated request, what became of it meanwhile.</param>
/// <param name="Links">Where to go on.</param>
internal sealed record SubmittedHeavyTask(Guid Id, HeavyTaskStatus Status, SubmittedHeavyTaskLinks Links)
{
    public static SubmittedHeavyTask From(Guid id, HeavyTaskStatus status) =>
        new(id, status, new SubmittedHeavyTaskLinks($"/heavy-tasks/{id}", $"/heavy-tasks/{id}/cancel", $"/heavy-tasks/{id}/result"));
}

/// <summary>Where to go on.</summary>
/// <param name="Self">The task (GET).</param>
/// <param name="Cancel">Cancels it (POST).</param>
/// <param name="Result">Its result file, once there is one (GET).</param>
internal sealed record SubmittedHeavyTaskLinks(string Self, string Cancel, string Result);
