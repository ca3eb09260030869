using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>Puts the tasks of a dead owner back into the queue, or gives them up when their owners died too often.</summary>
internal sealed partial class TakeOver(IServiceScopeFactory scopes, IOptions<HeavyTaskOptions> options, ILogger<TakeOver> logger)
{
    private const int BatchSize = 200;

    /// <summary>Takes every task of the owner; rows that somebody else is taking are left to them.</summary>
    public async Task TakeAllAsync(Guid owner, string why, CancellationToken cancellationToken)
    {
        while (await TakeBatchAsync(owner, why, cancellationToken) == BatchSize) { }
    }

    /// <summary>Puts one task of a living owner back at no cost.</summary>
    public async Task ReleaseAsync(HeavyTaskFence fence, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var kind = await db.HeavyTasks.Owned(fence).Select(t => t.Kind).SingleOrDefaultAsync(cancellationToken);
        if (kind is not null && await lifecycle.ReleaseAsync(fence, kind, cancellationToken))
        {
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private async Task<int> TakeBatchAsync(Guid owner, string why, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var tasks = await db
            .HeavyTasks.FromSql(
                $"SELECT * FROM heavy_tasks WHERE owner = {owner} AND status = {nameof(HeavyTaskStatus.Running)} ORDER BY id LIMIT {BatchSize} FOR UPDATE SKIP LOCKED"
            )
            .AsNoTracking()
            .ToListAsync(cancellationToken);
        foreach (var task in tasks)
        {
            var fence = new HeavyTaskFence(task.Id, task.Attempt, owner);
            if (task.Crashes + 1 >= options.Value.MaxCrashes)
            {
                var error = $"{why} It was crash {task.Crashes + 1} of {options.Value.MaxCrashes} (HeavyTasks:MaxCrashes).";
                await lifecycle.FailCrashedAsync(fence, task.Kind, why, error, cancellationToken);
            }
            else
            {
                await lifecycle.TakeOverAsync(fence, task.Kind, why, cancellationToken);
            }
        }

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
