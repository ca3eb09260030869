using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>Writes reported progress twice a second, for all tasks of this process, away from their handlers.</summary>
internal sealed class ProgressReporter(
    RunningAttempts runningAttempts,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger<ProgressReporter> logger
) : PollingLoop(TimeSpan.FromMilliseconds(500), time, logger)
{
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        foreach (var task in runningAttempts.All)
        {
            if (task.TryTakeChangedProgress(out var progress))
            {
                await WriteAsync(task, progress, stoppingToken);
            }
        }
    }

    private async Task WriteAsync(RunningAttempt task, Progress progress, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        await db.HeavyTasks.ReportProgressAsync(task.Fence, progress.Done, progress.Total, progress.Text, cancellationToken);
    }
}
