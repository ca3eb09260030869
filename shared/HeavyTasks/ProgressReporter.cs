using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>Writes reported progress twice a second, for all tasks of this process, away from their handlers.</summary>
internal sealed partial class ProgressReporter(
    RunningTasks runningTasks, IServiceScopeFactory scopes, TimeProvider time, ILogger<ProgressReporter> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                foreach (var task in runningTasks.All)
                {
                    if (task.TryTakeChangedProgress(out var progress))
                    {
                        await WriteAsync(task, progress, stoppingToken);
                    }
                }
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                NotWritten(logger, exception);
            }
        }
    }

    private async Task WriteAsync(RunningTask task, Progress progress, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        await db.HeavyTasks.ReportProgressAsync(task.Fence, progress.Done, progress.Total, progress.Text, cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Progress could not be written; newer progress follows.")]
    private static partial void NotWritten(ILogger logger, Exception exception);
}
