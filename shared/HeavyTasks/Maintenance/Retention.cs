using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>Deletes what has expired, in small batches: finished tasks with their attempts and files, uploads that no waiting or running task refers to, and rows of instances long gone.</summary>
internal sealed partial class Retention(
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<Retention> logger
) : PollingLoop(options.Value.RetentionInterval, time, logger)
{
    private const int BatchSize = 100;
    private static readonly TimeSpan InstanceRetention = TimeSpan.FromMinutes(5);

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        var tasks = await RepeatAsync(DeleteTasksAsync, stoppingToken);
        await RepeatAsync(DeleteResultFilesAsync, stoppingToken);
        var uploads = await RepeatAsync(DeleteUploadsAsync, stoppingToken);
        await DeleteInstancesAsync(stoppingToken);
        if (tasks + uploads > 0)
        {
            Deleted(logger, tasks, uploads);
        }
    }

    private async Task<int> RepeatAsync(Func<DbContext, CancellationToken, Task<int>> deleteBatch, CancellationToken cancellationToken)
    {
        var total = 0;
        while (true)
        {
            await using var scope = scopes.CreateAsyncScope();
            var count = await deleteBatch(scope.ServiceProvider.GetRequiredService<EngineContext>().Db, cancellationToken);
            total += count;
            if (count < BatchSize)
            {
                return total;
            }
        }
    }

    private async Task<int> DeleteTasksAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = options.Value.TaskRetention.TotalSeconds;
        var ids = await db
            .HeavyTasks.Where(t => t.FinishedAt < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .OrderBy(t => t.FinishedAt)
            .Select(t => t.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        if (ids.Count == 0)
        {
            return 0;
        }

        // Conditional again: a task may have been retried by hand since it was selected, and then it needs all that it has.
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db
            .HeavyTasks.Where(t => ids.Contains(t.Id) && t.FinishedAt < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .ExecuteDeleteAsync(cancellationToken);
        var tasks = db.HeavyTasks;
        await db
            .HeavyTaskAttempts.Where(a => ids.Contains(a.TaskId) && !tasks.Any(t => t.Id == a.TaskId))
            .ExecuteDeleteAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return ids.Count;
    }

    // Large ones take a while, so they go after the task, which nobody can retry then.
    private static async Task<int> DeleteResultFilesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var tasks = db.HeavyTasks;
        var ids = await db
            .Files.Where(f => f.TaskId != null && !tasks.Any(t => t.Id == f.TaskId))
            .OrderBy(f => f.CreatedAt)
            .Select(f => f.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        await DeleteFilesAsync(db, ids, cancellationToken);
        return ids.Count;
    }

    private async Task<int> DeleteUploadsAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = options.Value.UploadRetention.TotalSeconds;
        var tasks = db.HeavyTasks;
        var ids = await db
            .Files.Where(f => f.TaskId == null && f.CreatedAt < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .Where(f => !tasks.Any(t => !HeavyTaskStatuses.Final.Contains(t.Status) && t.Parameters.Contains(f.Id.ToString())))
            .OrderBy(f => f.CreatedAt)
            .Select(f => f.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        await DeleteFilesAsync(db, ids, cancellationToken);
        return ids.Count;
    }

    private static async Task DeleteFilesAsync(DbContext db, List<Guid> ids, CancellationToken cancellationToken)
    {
        foreach (var id in ids)
        {
            await DatabaseFileStore.DeleteAsync(db, id, cancellationToken);
        }
    }

    private static Task<int> DeleteInstancesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = InstanceRetention.TotalSeconds;
        return db.Instances.Where(i => i.LeaseUntil < DatabaseClock.UtcNow().AddSeconds(-seconds)).ExecuteDeleteAsync(cancellationToken);
    }

    private async Task DeleteInstancesAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await DeleteInstancesAsync(scope.ServiceProvider.GetRequiredService<EngineContext>().Db, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Expired: {Tasks} finished tasks and {Uploads} uploads were deleted.")]
    private static partial void Deleted(ILogger logger, int tasks, int uploads);
}
