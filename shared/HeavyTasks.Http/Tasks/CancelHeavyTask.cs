using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.HeavyTasks.Http;

internal static class CancelHeavyTask
{
    /// <summary>
    /// Cancels a task. A task that waits becomes Cancelled at once (200) and never runs. For a task that runs, its worker tells the handler
    /// to stop, and the task becomes Cancelled when the handler has stopped (202).
    /// </summary>
    public static Task<Results<JsonOk<HeavyTaskResponse>, JsonAccepted<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        LinkGenerator links,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var path = links.TasksPath(http);
        return Deadlocks.RetryAsync(scopes, scope => CancelAsync(id, http, path, scope, cancellationToken), time, cancellationToken);
    }

    private static async Task<Results<JsonOk<HeavyTaskResponse>, JsonAccepted<HeavyTaskResponse>, ProblemHttpResult>> CancelAsync(
        Guid id,
        HttpContext http,
        string path,
        IServiceProvider scope,
        CancellationToken cancellationToken
    )
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var outcome = await scope.CancelAsync(id, Actor.Of(http), cancellationToken);
        var task = outcome == CancelOutcome.NotFound ? null : await GetHeavyTask.ReadAsync(db, id, http, path, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        if (task is null)
        {
            return GetHeavyTask.NotFound(id);
        }

        return outcome switch
        {
            CancelOutcome.Cancelled => JsonAnswer.Ok(task),
            CancelOutcome.Requested => JsonAnswer.Accepted(task.Links.Self, task),
            CancelOutcome.AlreadyEnded => TypedResults.Problem(
                $"The task is {task.Status}: there is nothing to cancel.",
                statusCode: StatusCodes.Status409Conflict
            ),
            _ => TypedResults.Problem("The task kept changing. Try again.", statusCode: StatusCodes.Status409Conflict),
        };
    }
}
