using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>What can be done to tasks from a page. Each action asks by itself whether the client may, and is recorded.</summary>
internal sealed class DashboardActions(Viewer viewer, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>The most tasks that one action reaches.</summary>
    public const int MaxTasks = 10_000;

    /// <summary>Cancels one task; what happened, for people.</summary>
    public async Task<string> CancelAsync(Guid id)
    {
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.Operate, "CancelHeavyTask", $"{id}");
        return await InTransactionAsync(scope => scope.CancelAsync(id, actor, CancellationToken.None)) switch
        {
            CancelOutcome.Cancelled => "The task is cancelled.",
            CancelOutcome.Requested => "The task runs; its handler is told to stop.",
            CancelOutcome.AlreadyEnded => "The task had ended already.",
            CancelOutcome.NotFound => "There is no such task.",
            _ => "The task kept changing. Try again.",
        };
    }

    /// <summary>Runs one task again; what happened, for people.</summary>
    public async Task<string> RetryAsync(Guid id)
    {
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.Operate, "RetryHeavyTask", $"{id}");
        return await InTransactionAsync(scope => scope.RetryAsync(id, actor, CancellationToken.None)) switch
        {
            true => "The task runs again.",
            false => "Only a Failed or Cancelled task can be retried.",
            null => "There is no such task.",
        };
    }

    /// <summary>Deletes one finished task; what happened, for people.</summary>
    public async Task<string> DeleteAsync(Guid id)
    {
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.Operate, "DeleteHeavyTask", $"{id}");
        return await InTransactionAsync(scope => scope.DeleteAsync(id, actor, CancellationToken.None)) switch
        {
            true => "The task is deleted.",
            false => "Only a task that has ended can be deleted. Cancel it first.",
            null => "There is no such task.",
        };
    }

    /// <summary>Does the same to many tasks, one after the other.</summary>
    /// <param name="ids">The tasks.</param>
    /// <param name="action">What to do to them.</param>
    /// <param name="progress">Is told after each task how many were changed and how many are through.</param>
    /// <param name="cancellationToken">Ends the work after the task at hand.</param>
    public async Task<int> DoAllAsync(
        IReadOnlyList<Guid> ids,
        TaskAction action,
        Action<int, int> progress,
        CancellationToken cancellationToken
    )
    {
        var (changed, through) = (0, 0);
        foreach (var id in ids)
        {
            cancellationToken.ThrowIfCancellationRequested();

            // The client is asked for with each task: its key may be revoked meanwhile.
            var actor = await viewer.DemandAsync(HeavyTaskPolicies.Operate, $"{action}HeavyTask", $"{id}");
            var isChanged = await InTransactionAsync(async scope =>
                action switch
                {
                    TaskAction.Retry => await scope.RetryAsync(id, actor, CancellationToken.None) == true,
                    TaskAction.Delete => await scope.DeleteAsync(id, actor, CancellationToken.None) == true,
                    _ => await scope.CancelAsync(id, actor, CancellationToken.None) is CancelOutcome.Cancelled or CancelOutcome.Requested,
                }
            );
            changed += isChanged ? 1 : 0;
            progress(changed, ++through);
        }

        return changed;
    }

    /// <summary>The tasks that match a filter and that the action can change; at most <see cref="MaxTasks"/>.</summary>
    public async Task<IReadOnlyList<Guid>> FindAsync(TaskFilter filter, TaskAction action, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        HeavyTaskStatus[] wanted = action switch
        {
            TaskAction.Retry => [.. HeavyTaskStatuses.Retryable],
            TaskAction.Delete => [.. HeavyTaskStatuses.Final],
            _ => [.. HeavyTaskStatuses.Waiting, HeavyTaskStatus.Running],
        };
        var ids = new List<Guid>();
        foreach (var status in wanted.Where(status => filter.Tasks.Status is null || filter.Tasks.Status == status))
        {
            ids.AddRange(
                await (filter with { Tasks = filter.Tasks with { Status = status } })
                    .Newest(db, before: null, MaxTasks - ids.Count)
                    .Select(t => t.Id)
                    .ToListAsync(cancellationToken)
            );
            if (ids.Count >= MaxTasks)
            {
                break;
            }
        }

        return ids;
    }

    private Task<TResult> InTransactionAsync<TResult>(Func<IServiceProvider, Task<TResult>> action) =>
        Deadlocks.RetryAsync(
            scopes,
            async scope =>
            {
                var db = scope.GetRequiredService<EngineContext>().Db;
                await using var transaction = await db.Database.BeginTransactionAsync();
                var result = await action(scope);
                await db.SaveChangesAsync();
                await transaction.CommitAsync();
                return result;
            },
            time,
            CancellationToken.None
        );
}

/// <summary>What can be done to many tasks.</summary>
internal enum TaskAction
{
    /// <summary>Those that wait never run; those that run are told to stop.</summary>
    Cancel,

    /// <summary>Failed and Cancelled ones run again.</summary>
    Retry,

    /// <summary>Finished ones are deleted.</summary>
    Delete,
}
