using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class PurgeKind
{
    /// <summary>The most tasks that one request cancels.</summary>
    public const int MaxTasks = 10_000;

    /// <summary>How many tasks are cancelled in one transaction.</summary>
    public const int BatchSize = 500;

    /// <summary>
    /// Cancels the tasks of a kind that wait, at most 10,000 of them. What runs goes on. Where there are more, <c>hasMore</c> is true: ask again with the
    /// <c>createdBefore</c> of the first answer, so that what is submitted meanwhile stays.
    /// </summary>
    /// <param name="kind">The name of the kind.</param>
    /// <param name="createdBefore">
    /// Cancels only tasks that were submitted before (ISO 8601; UTC unless it has an offset), to the millisecond. Default: now.
    /// </param>
    public static async Task<Results<JsonOk<PurgedKind>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string kind,
        string? createdBefore,
        HttpContext http,
        EngineContext engine,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(http.Request.Query, "createdBefore");
        var moment = RequestTime.Read(createdBefore, "createdBefore", errors) ?? Now(time);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        var actor = Actor.Of(http);
        var before = HeavyTask.FirstIdAt(moment);
        var total = 0;
        for (var cancelled = BatchSize; AnnouncedKinds.IsName(kind) && cancelled == BatchSize && total < MaxTasks; total += cancelled)
        {
            cancelled = await CancelBatchAsync(scopes, kind, before, actor, time, cancellationToken);
        }

        if (total == 0 && !(AnnouncedKinds.IsName(kind) && await engine.Db.AnnouncedKinds.AnyAsync(k => k.Name == kind, cancellationToken)))
        {
            engine.Db.Record(actor, kind, AuditOutcome.NotFound);
            await engine.Db.SaveChangesAsync(CancellationToken.None);
            return TypedResults.Problem("No worker has announced such a kind.", statusCode: StatusCodes.Status404NotFound);
        }

        // Some may have been skipped, because a worker was about to claim them.
        var more = await engine.Db.HeavyTasks.AnyAsync(
            t => t.Kind == kind && HeavyTaskStatuses.Waiting.Contains(t.Status) && t.Id < before,
            cancellationToken
        );
        return JsonAnswer.Ok(new PurgedKind(kind, total, more, moment));
    }

    /// <summary>The moment before which everything was submitted that waits now.</summary>
    public static DateTime Now(TimeProvider time) => time.GetUtcNow().UtcDateTime.AddMilliseconds(1);

    /// <summary>Describes the time more closely than its type, which is text.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>().Where(p => p.Name == "createdBefore"))
        {
            parameter.Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" };
        }

        return Task.CompletedTask;
    }

    /// <summary>Cancels some of the tasks that wait, and records it, in one transaction.</summary>
    public static Task<int> CancelBatchAsync(
        IServiceScopeFactory scopes,
        string kind,
        Guid before,
        Actor actor,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        Deadlocks.RetryAsync(
            scopes,
            async scope =>
            {
                var db = scope.GetRequiredService<EngineContext>().Db;
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                var cancelled = await scope
                    .GetRequiredService<TaskLifecycle>()
                    .CancelWaitingAsync(kind, before, BatchSize, cancellationToken);
                if (cancelled > 0)
                {
                    db.Record(actor, kind, AuditOutcome.Done);
                    await db.SaveChangesAsync(cancellationToken);
                }

                await transaction.CommitAsync(CancellationToken.None);
                return cancelled;
            },
            time,
            cancellationToken
        );
}

/// <summary>What was cancelled.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Cancelled">How many tasks were cancelled.</param>
/// <param name="HasMore">Whether more of them wait.</param>
/// <param name="CreatedBefore">Tasks that were submitted before this time were cancelled (UTC).</param>
internal sealed record PurgedKind(string Kind, int Cancelled, bool HasMore, DateTime CreatedBefore);
