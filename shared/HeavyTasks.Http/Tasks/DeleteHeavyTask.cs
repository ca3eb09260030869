using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.HeavyTasks.Http;

internal static class DeleteHeavyTask
{
    /// <summary>
    /// Deletes a finished task with its attempts, its log, its result and its result file. A task that waits or runs must be cancelled first (409).
    /// </summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        await Deadlocks.RetryAsync(scopes, scope => DeleteAsync(id, http, scope, cancellationToken), time, cancellationToken) switch
        {
            null => GetHeavyTask.NotFound(id),
            true => TypedResults.NoContent(),
            false => TypedResults.Problem(
                "Only a task that has ended can be deleted. Cancel it first.",
                statusCode: StatusCodes.Status409Conflict
            ),
        };

    private static async Task<bool?> DeleteAsync(Guid id, HttpContext http, IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var deleted = await scope.DeleteAsync(id, Actor.Of(http), cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return deleted;
    }
}
