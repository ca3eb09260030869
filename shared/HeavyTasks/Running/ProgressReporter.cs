using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Writes reported progress twice a second, for all tasks of this process and outside their handlers. A task whose row is locked, by its own
/// checkpoint for example, keeps nobody waiting: its progress is written in the next round.
/// </summary>
internal sealed class ProgressReporter(
    InstanceIdentity instance,
    RunningAttempts runningAttempts,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger<ProgressReporter> logger
) : PollingLoop(TimeSpan.FromMilliseconds(500), time, logger)
{
    private const int BatchSize = 100;

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        foreach (var batch in runningAttempts.All.Where(task => task.HasChangedProgress).Chunk(BatchSize))
        {
            await WriteAsync(batch, stoppingToken);
        }
    }

    private async Task WriteAsync(RunningAttempt[] attempts, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var locked = await db.LockRunning(instance.Id, [.. attempts.Select(a => a.Fence.TaskId)])
            .AsNoTracking()
            .Select(t => t.Id)
            .ToHashSetAsync(cancellationToken);
        var written = new List<(RunningAttempt Attempt, Progress Progress)>();
        foreach (var attempt in attempts.Where(a => locked.Contains(a.Fence.TaskId)))
        {
            var progress = attempt.CurrentProgress;
            await db.HeavyTasks.ReportProgressAsync(attempt.Fence, progress.Done, progress.Total, progress.Text, cancellationToken);
            written.Add((attempt, progress));
        }

        await transaction.CommitAsync(cancellationToken);
        foreach (var (attempt, progress) in written)
        {
            attempt.ProgressWritten(progress);
        }
    }
}
