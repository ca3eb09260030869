using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>Puts the tasks of a dead owner back into the queue, or gives them up when their owners have died too often.</summary>
internal sealed partial class TakeOver(IServiceScopeFactory scopes, IOptions<HeavyTaskOptions> options, ILogger<TakeOver> logger)
{
    private const int BatchSize = 200;
    private const string NotToBlame = "A task that had crashed before is held to blame for it.";

    /// <summary>
    /// Takes over every task of the owner; skips rows that another worker is taking over. All count a crash, because any of them may have
    /// killed the process. When there are some among them whose last crash this would be, they alone do: of those, a process runs one at a
    /// time, so that what kills processes is soon found without harm to what ran beside it.
    /// </summary>
    public async Task TakeAllAsync(Guid owner, string why, CancellationToken cancellationToken)
    {
        var suspects = await HasSuspectsAsync(owner, cancellationToken);
        while (await TakeBatchAsync(owner, why, suspects, cancellationToken) == BatchSize) { }
    }

    /// <summary>Whether the owner still has running tasks, because somebody has locked them.</summary>
    public async Task<bool> IsAnyLeftAsync(Guid owner, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        return await db.HeavyTasks.AnyAsync(t => t.Owner == owner && t.Status == HeavyTaskStatus.Running, cancellationToken);
    }

    /// <summary>
    /// Ends the sessions that hold locks on the running tasks of the owner. The server knows nothing of the death of a process that was
    /// frozen, or whose machine lost its power, while it sent rows.
    /// </summary>
    /// <returns>The number of sessions; 0 when none was found or none may be ended.</returns>
    public async Task<int> EndSessionsAsync(Guid owner, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await using var other = scopes.CreateAsyncScope();
        return await Dialect.Current.EndSessionsThatLockAsync(
            scope.ServiceProvider.GetRequiredService<EngineContext>().Db,
            other.ServiceProvider.GetRequiredService<EngineContext>().Db,
            owner,
            cancellationToken
        );
    }

    /// <summary>Puts one task of a living owner back, without counting a failure or crash.</summary>
    public async Task ReleaseAsync(HeavyTaskFence fence, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var task = await db.HeavyTasks.Owned(fence).Select(t => new { t.Kind, t.Crashes }).SingleOrDefaultAsync(cancellationToken);
        if (task is not null && await lifecycle.ReleaseAsync(fence, task.Kind, task.Crashes, why: null, cancellationToken))
        {
            await transaction.CommitAsync(cancellationToken);
        }
    }

    private async Task<bool> HasSuspectsAsync(Guid owner, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var crashes = await db
            .HeavyTasks.Where(t => t.Owner == owner && t.Status == HeavyTaskStatus.Running)
            .MaxAsync(t => (int?)t.Crashes, cancellationToken);
        return options.Value.IsSuspect(crashes ?? 0);
    }

    private async Task<int> TakeBatchAsync(Guid owner, string why, bool suspects, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var tasks = await db.LockOwnedBy(owner, BatchSize).AsNoTracking().ToListAsync(cancellationToken);
        foreach (var task in tasks)
        {
            var fence = new HeavyTaskFence(task.Id, task.Attempt, owner);
            if (suspects && !options.Value.IsSuspect(task.Crashes))
            {
                await lifecycle.ReleaseAsync(fence, task.Kind, task.Crashes, $"{why} {NotToBlame}", cancellationToken);
            }
            else if (task.Crashes + 1 >= options.Value.MaxCrashes)
            {
                var error = $"{why} It was crash {task.Crashes + 1} of {options.Value.MaxCrashes} (HeavyTasks:MaxCrashes).";
                await lifecycle.FailCrashedAsync(fence, task.Kind, why, error, cancellationToken);
            }
            else
            {
                await lifecycle.TakeOverAsync(fence, task.Kind, task.Crashes, why, cancellationToken);
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
