using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class CancelHeavyTask
{
    /// <summary>
    /// Cancels a task. A task that waits is Cancelled at once (200) and never runs. A task that runs is Cancelled when its handler has stopped,
    /// which its worker is asked to see to (202).
    /// </summary>
    public static Task<Results<Ok<HeavyTaskResponse>, Accepted<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        IServiceScopeFactory scopes,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        Deadlocks.RetryAsync(
            scopes,
            scope =>
                CancelAsync(id, scope.GetRequiredService<PlatformDbContext>(), scope.GetRequiredService<IHeavyTasks>(), cancellationToken),
            time,
            cancellationToken
        );

    private static async Task<Results<Ok<HeavyTaskResponse>, Accepted<HeavyTaskResponse>, ProblemHttpResult>> CancelAsync(
        Guid id,
        PlatformDbContext db,
        IHeavyTasks tasks,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var outcome = await tasks.CancelAsync(id, cancellationToken);
        var task = await GetHeavyTask.ReadAsync(db, id, cancellationToken);
        if (task is null)
        {
            return GetHeavyTask.NotFound(id);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return outcome switch
        {
            CancelOutcome.Cancelled => TypedResults.Ok(task),
            CancelOutcome.Requested => TypedResults.Accepted(task.Links.Self, task),
            CancelOutcome.NotFound or CancelOutcome.AlreadyEnded => TypedResults.Problem(
                $"The task is {task.Status}: there is nothing to cancel.",
                statusCode: StatusCodes.Status409Conflict
            ),
            _ => TypedResults.Problem("The task kept changing. Try again.", statusCode: StatusCodes.Status409Conflict),
        };
    }
}
