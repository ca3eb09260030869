using MassTransit;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class CancelHeavyTask
{
    // A task can change between two looks at it; more often than this in one request it cannot, by anything a client should wait for.
    private const int MaxLooks = 5;

    /// <summary>
    /// Cancels a task: one that waits is Cancelled at once (200) and never runs; of one that runs its worker is asked to stop it (202).
    /// </summary>
    public static Task<Results<Ok<HeavyTaskResponse>, Accepted<HeavyTaskResponse>, ProblemHttpResult>> HandleAsync(
        Guid id, IServiceScopeFactory scopes, TimeProvider time, CancellationToken cancellationToken) =>
        Deadlocks.RetryAsync(
            scopes,
            scope => CancelAsync(id, scope.GetRequiredService<PlatformDbContext>(), scope.GetRequiredService<IPublishEndpoint>(), cancellationToken),
            time,
            cancellationToken);

    private static async Task<Results<Ok<HeavyTaskResponse>, Accepted<HeavyTaskResponse>, ProblemHttpResult>> CancelAsync(
        Guid id, PlatformDbContext db, IPublishEndpoint publishEndpoint, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await CancelWaitingAsync(id, db, publishEndpoint, cancellationToken) is { } cancelled)
            {
                return TypedResults.Ok(cancelled);
            }

            var requested = await db.HeavyTasks.RequestCancelAsync(id, cancellationToken) == 1;
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
                return TypedResults.Problem($"The task is {task.Status}: there is nothing to cancel.", statusCode: StatusCodes.Status409Conflict);
            }
        }

        return TypedResults.Problem("The task kept changing. Try again.", statusCode: StatusCodes.Status409Conflict);
    }

    private static async Task<HeavyTaskResponse?> CancelWaitingAsync(
        Guid id, PlatformDbContext db, IPublishEndpoint publishEndpoint, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        if (await db.HeavyTasks.CancelWaitingAsync(id, cancellationToken) == 0)
        {
            return null;
        }

        var task = (await GetHeavyTask.ReadAsync(db, id, cancellationToken))!;
        await publishEndpoint.Publish(new HeavyTaskCancelled(task.Id, task.Kind, task.Attempt), CancellationToken.None);
        await db.SaveChangesAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
        return task;
    }
}
