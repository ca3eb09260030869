using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersDeleteInactive;

/// <summary>How far the task is, and its result.</summary>
public sealed record DeleteInactiveUsersState(long Deleted);

/// <summary>Deletes 1,000 users in each checkpoint.</summary>
public sealed class DeleteInactiveUsers(PlatformDbContext db) : HeavyTaskHandler<DeleteInactiveUsersParameters>
{
    /// <inheritdoc />
    public override async Task RunAsync(HeavyTaskContext<DeleteInactiveUsersParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var before = context.Parameters.SignedUpBefore.UtcDateTime;
        var deleted = context.GetCheckpoint<DeleteInactiveUsersState>()?.Deleted ?? 0;
        while (true)
        {
            var page = await db
                .Users.Where(u => u.SignedUpAt < before)
                .OrderBy(u => u.Id)
                .Select(u => u.Id)
                .Take(1_000)
                .ToListAsync(context.CancellationToken);
            if (page.Count == 0)
            {
                break;
            }

            deleted += page.Count;
            await context.CheckpointAsync(
                new DeleteInactiveUsersState(deleted),
                (_, cancellationToken) => db.Users.Where(u => page.Contains(u.Id)).ExecuteDeleteAsync(cancellationToken)
            );
            context.ReportProgress(deleted);
        }

        context.SetResult(new DeleteInactiveUsersState(deleted));
    }
}
