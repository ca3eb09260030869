using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;
using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>Puts the tasks of a dead owner back into the queue, or gives them up when their owners died too often.</summary>
internal sealed partial class TakeOver(IServiceScopeFactory scopes, IOptions<HeavyTaskOptions> options, ILogger<TakeOver> logger)
{
    private const int BatchSize = 200;

    /// <summary>Takes every task of the owner; rows that somebody else is taking are left to them.</summary>
    public async Task TakeAllAsync(Guid owner, string why, CancellationToken cancellationToken)
    {
        while (await TakeBatchAsync(owner, why, cancellationToken) == BatchSize)
        {
        }
    }

    /// <summary>Puts one task of a living owner back at no cost.</summary>
    public async Task ReleaseAsync(HeavyTaskFence fence, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        var outbox = scope.ServiceProvider.GetRequiredService<OutboxPublishEndpoint>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var kind = await db.HeavyTasks.Owned(fence).Select(t => t.Kind).SingleOrDefaultAsync(cancellationToken);
        if (kind is null || await db.HeavyTasks.ReleaseAsync(fence, cancellationToken) == 0)
        {
            return;
        }

        await db.HeavyTaskAttempts.EndAsync(fence.TaskId, fence.Attempt, AttemptOutcome.Released, null, cancellationToken);
        await outbox.PublishAsync(new HeavyTaskRequested(fence.TaskId, kind), cancellationToken);
        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private async Task<int> TakeBatchAsync(Guid owner, string why, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        var outbox = scope.ServiceProvider.GetRequiredService<OutboxPublishEndpoint>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var tasks = await db.HeavyTasks.FromSql(
            $"SELECT * FROM heavy_tasks WHERE owner = {owner} AND status = 'Running' ORDER BY id LIMIT {BatchSize} FOR UPDATE SKIP LOCKED")
            .AsNoTracking().ToListAsync(cancellationToken);
        foreach (var task in tasks)
        {
            var fence = new HeavyTaskFence(task.Id, task.Attempt, owner);
            if (task.Crashes + 1 >= options.Value.MaxCrashes)
            {
                var error = $"{why} It was crash {task.Crashes + 1} of {options.Value.MaxCrashes} (HeavyTasks:MaxCrashes).";
                await db.HeavyTasks.FailCrashedAsync(fence, error, cancellationToken);
                await outbox.PublishAsync(new HeavyTaskFailed(task.Id, task.Kind, task.Attempt, error), cancellationToken);
            }
            else
            {
                await db.HeavyTasks.TakeOverAsync(fence, why, cancellationToken);
                await outbox.PublishAsync(new HeavyTaskRequested(task.Id, task.Kind), cancellationToken);
            }

            await db.HeavyTaskAttempts.EndAsync(task.Id, task.Attempt, AttemptOutcome.Crashed, why, cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (tasks.Count > 0)
        {
            Taken(logger, tasks.Count, owner, why);
        }

        return tasks.Count;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} tasks of worker {Owner} were taken over: {Why}")]
    private static partial void Taken(ILogger logger, int count, Guid owner, string why);
}
