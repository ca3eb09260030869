using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class CancelHeavyTask
{
    // A task can change between two looks at it; more often than this in one request it cannot, by anything a client should wait for.
    private const int MaxLooks = 5;

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
                CancelAsync(
                    id,
                    scope.GetRequiredService<PlatformDbContext>(),
                    scope.GetRequiredService<TaskLifecycle>(),
                    cancellationToken
                ),
            time,
            cancellationToken
        );

    private static async Task<Results<Ok<HeavyTaskResponse>, Accepted<HeavyTaskResponse>, ProblemHttpResult>> CancelAsync(
        Guid id,
        PlatformDbContext db,
        TaskLifecycle lifecycle,
        CancellationToken cancellationToken
    )
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await CancelWaitingAsync(id, db, lifecycle, cancellationToken) is { } cancelled)
            {
                return TypedResults.Ok(cancelled);
            }

            var requested = await lifecycle.RequestCancelAsync(id, cancellationToken);
            var task = await GetHeavyTask.ReadAsync(db, id, cancellationToken);
            if (task is null)
            {
                return GetHeavyTask.NotFound(id);
            }

            if (requested)
            {
                return TypedResults.Accepted(task.Links.Self, task);
            }

            if (task.FinishedAt is not null)
            {
                return TypedResults.Problem(
                    $"The task is {task.Status}: there is nothing to cancel.",
                    statusCode: StatusCodes.Status409Conflict
                );
            }
        }

        return TypedResults.Problem("The task kept changing. Try again.", statusCode: StatusCodes.Status409Conflict);
    }

    private static async Task<HeavyTaskResponse?> CancelWaitingAsync(
        Guid id,
        PlatformDbContext db,
        TaskLifecycle lifecycle,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (!await lifecycle.CancelWaitingAsync(id, cancellationToken))
        {
            return null;
        }

        var task = (await GetHeavyTask.ReadAsync(db, id, cancellationToken))!;
        await transaction.CommitAsync(CancellationToken.None);
        return task;
    }
}
