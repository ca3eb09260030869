using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class RetryHeavyTask
{
    /// <summary>Runs a Failed or Cancelled task again, from its last checkpoint, with failures and crashes counted from zero.</summary>
    public static Task<Results<Accepted<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        Deadlocks.RetryAsync(
            scopes,
            scope =>
                RetryAsync(id, scope.GetRequiredService<PlatformDbContext>(), scope.GetRequiredService<IHeavyTasks>(), cancellationToken),
            time,
            cancellationToken
        );

    private static async Task<Results<Accepted<HeavyTaskResponse>, ProblemHttpResult>> RetryAsync(
        Guid id,
        PlatformDbContext db,
        IHeavyTasks tasks,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var retried = await tasks.RetryAsync(id, cancellationToken);
        var task = await GetHeavyTask.ReadAsync(db, id, cancellationToken);
        if (task is null)
        {
            return GetHeavyTask.NotFound(id);
        }

        if (!retried)
        {
            return TypedResults.Problem(
                $"The task is {task.Status}; only a Failed or Cancelled task can be retried.",
                statusCode: StatusCodes.Status409Conflict
            );
        }

        await transaction.CommitAsync(CancellationToken.None);
        return TypedResults.Accepted(task.Links.Self, task);
    }
}
