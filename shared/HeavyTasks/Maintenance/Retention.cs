using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Deletes what is too old, in small batches: finished tasks with their attempts, what handlers logged, poison messages, the record of who did what, rows of
/// instances that ended long ago, the figures of minutes that charts do not show any more, and kinds that nobody has announced for 30 days.
/// Files only expire here: result files with their tasks, and uploads that no task needs. <see cref="ExpiredFiles"/> deletes them.
/// </summary>
internal sealed partial class Retention(
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<Retention> logger
) : PollingLoop(options.Value.RetentionInterval, time, logger)
{
    private const int BatchSize = 100;
    private static readonly TimeSpan InstanceRetention = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan MinuteRetention = TimeSpan.FromHours(2);

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        var tasks = await TryAsync("finished tasks", () => RepeatAsync(DeleteTasksAsync, stoppingToken), stoppingToken);
        var uploads = await TryAsync("uploads", () => RepeatAsync(ExpireUploadsAsync, stoppingToken), stoppingToken);
        await TryAsync("log lines", () => RepeatAsync(DeleteLogLinesAsync, stoppingToken), stoppingToken);
        await TryAsync("poison messages", () => RepeatAsync(DeletePoisonMessagesAsync, stoppingToken), stoppingToken);
        await TryAsync("audit entries", () => RepeatAsync(DeleteAuditEntriesAsync, stoppingToken), stoppingToken);
        await TryAsync("instances", () => InScopeAsync(DeleteInstancesAsync, stoppingToken), stoppingToken);
        await TryAsync("minutes", () => DeleteMinutesAsync(stoppingToken), stoppingToken);
        await TryAsync("kinds", () => InScopeAsync(DeleteKindsAsync, stoppingToken), stoppingToken);
        if (tasks + uploads > 0)
        {
            Expired(logger, tasks, uploads);
        }
    }

    // A step that fails, round after round, must not keep the others from their work.
    private async Task<int> TryAsync(string what, Func<Task<int>> step, CancellationToken stoppingToken)
    {
        try
        {
            return await step();
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            StepFailed(logger, what, exception);
            return 0;
        }
    }

    private async Task<int> RepeatAsync(Func<DbContext, CancellationToken, Task<int>> deleteBatch, CancellationToken cancellationToken)
    {
        var total = 0;
        while (true)
        {
            var count = await InScopeAsync(deleteBatch, cancellationToken);
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

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var old = db.HeavyTasks.Where(t => t.FinishedAt < DatabaseClock.UtcNow().AddSeconds(-seconds));
        await db.DeleteTasksAsync(old, [.. ids], cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return ids.Count;
    }

    // Whether a task needs the upload is looked at again, under a lock, before it is deleted.
    private async Task<int> ExpireUploadsAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = options.Value.UploadRetention.TotalSeconds;
        var ids = await db
            .Files.Where(f => f.TaskId == null && f.ExpiresAt == null && f.CreatedAt < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .Where(NeededFiles.NotNeeded(db))
            .OrderBy(f => f.CreatedAt)
            .Select(f => f.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        await db
            .Files.Where(f => ids.Contains(f.Id))
            .ExecuteUpdateAsync(set => set.SetProperty(f => f.ExpiresAt, _ => DatabaseClock.UtcNow()), cancellationToken);
        return ids.Count;
    }

    // Lines go with their task. These were written after that, or by a task that has not ended for as long.
    private async Task<int> DeleteLogLinesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = options.Value.TaskRetention.TotalSeconds;
        var old = await db
            .HeavyTaskLogLines.AsNoTracking()
            .Where(l => l.At < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .OrderBy(l => l.At)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        foreach (var of in old.GroupBy(l => (l.TaskId, l.Attempt)))
        {
            var (task, attempt, numbers) = (of.Key.TaskId, of.Key.Attempt, of.Select(l => l.Number).ToArray());
            await db
                .HeavyTaskLogLines.Where(l => l.TaskId == task && l.Attempt == attempt && numbers.Contains(l.Number))
                .ExecuteDeleteAsync(cancellationToken);
        }

        return old.Count;
    }

    private async Task<int> DeletePoisonMessagesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = options.Value.TaskRetention.TotalSeconds;
        var ids = await db
            .PoisonMessages.Where(m => m.CreatedAt < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .OrderBy(m => m.Id)
            .Select(m => m.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        await db.PoisonMessages.Where(m => ids.Contains(m.Id)).ExecuteDeleteAsync(cancellationToken);
        return ids.Count;
    }

    private async Task<int> DeleteAuditEntriesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = options.Value.AuditRetention.TotalSeconds;
        var ids = await db
            .AuditEntries.Where(e => e.CreatedAt < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .OrderBy(e => e.CreatedAt)
            .Select(e => e.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
        await db.AuditEntries.Where(e => ids.Contains(e.Id)).ExecuteDeleteAsync(cancellationToken);
        return ids.Count;
    }

    private static Task<int> DeleteInstancesAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = InstanceRetention.TotalSeconds;
        return db.Instances.Where(i => i.LeaseUntil < DatabaseClock.UtcNow().AddSeconds(-seconds)).ExecuteDeleteAsync(cancellationToken);
    }

    // Minute by minute: each has a row for each kind and worker.
    private async Task<int> DeleteMinutesAsync(CancellationToken cancellationToken)
    {
        for (var total = 0; ; )
        {
            var deleted = await InScopeAsync(DeleteOldestMinuteAsync, cancellationToken);
            total += deleted;
            if (deleted == 0)
            {
                return total;
            }
        }
    }

    private static async Task<int> DeleteOldestMinuteAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = MinuteRetention.TotalSeconds;
        var oldest = await db
            .HeavyTaskMinutes.Where(m => m.Minute < DatabaseClock.UtcNow().AddSeconds(-seconds))
            .OrderBy(m => m.Minute)
            .Select(m => (DateTime?)m.Minute)
            .FirstOrDefaultAsync(cancellationToken);
        return oldest is null ? 0 : await db.HeavyTaskMinutes.Where(m => m.Minute == oldest).ExecuteDeleteAsync(cancellationToken);
    }

    private static Task<int> DeleteKindsAsync(DbContext db, CancellationToken cancellationToken)
    {
        var seconds = KindAnnouncer.Retention.TotalSeconds;
        return db
            .AnnouncedKinds.Where(k => k.AnnouncedAt < DatabaseClock.UtcNow().AddSeconds(-seconds) && k.PausedAt == null)
            .ExecuteDeleteAsync(cancellationToken);
    }

    private async Task<int> InScopeAsync(Func<DbContext, CancellationToken, Task<int>> delete, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await delete(scope.ServiceProvider.GetRequiredService<EngineContext>().Db, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Expired: {Tasks} finished tasks, which were deleted, and {Uploads} uploads.")]
    private static partial void Expired(ILogger logger, int tasks, int uploads);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Retention of {What} failed; it is tried again in the next round.")]
    private static partial void StepFailed(ILogger logger, string what, Exception exception);
}
