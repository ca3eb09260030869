using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.HeavyTasks.Http;

internal static class RetryHeavyTask
{
    /// <summary>Runs a Failed or Cancelled task again from its last checkpoint; its failures and crashes count from zero.</summary>
    public static Task<Results<JsonAccepted<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        LinkGenerator links,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var path = links.TasksPath(http);
        return Deadlocks.RetryAsync(scopes, scope => RetryAsync(id, http, path, scope, cancellationToken), time, cancellationToken);
    }

    private static async Task<Results<JsonAccepted<HeavyTaskResponse>, ProblemHttpResult>> RetryAsync(
        Guid id,
        HttpContext http,
        string path,
        IServiceProvider scope,
        CancellationToken cancellationToken
    )
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var retried = await scope.RetryAsync(id, Actor.Of(http), cancellationToken);
        var task = await GetHeavyTask.ReadAsync(db, id, http, path, cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        if (task is null)
        {
            return GetHeavyTask.NotFound(id);
        }

        if (retried != true)
        {
            return TypedResults.Problem(
                $"The task is {task.Status}; only a Failed or Cancelled task can be retried.",
                statusCode: StatusCodes.Status409Conflict
            );
        }

        return JsonAnswer.Accepted(task.Links.Self, task);
    }
}
