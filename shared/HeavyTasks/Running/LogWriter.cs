using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Writes what handlers logged for people twice a second, for all tasks of this process and outside their transactions. While the database is
/// away the newest lines wait.
/// </summary>
internal sealed partial class LogWriter(
    RunningAttempts runningAttempts,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger<LogWriter> logger
) : PollingLoop(TimeSpan.FromMilliseconds(500), time, logger)
{
    /// <summary>The most lines that wait while the database is away.</summary>
    internal const int MaxWaiting = 20_000;

    private const int BatchSize = 500;
    private readonly SemaphoreSlim round = new(1, 1);
    private List<HeavyTaskLogLine> waiting = [];
    private bool isAgain;

    /// <summary>Writes what handlers logged last.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryRoundAsync(cancellationToken);
    }

    public override void Dispose()
    {
        round.Dispose();
        base.Dispose();
    }

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        // The last round may begin beside one that did not stop in time.
        await round.WaitAsync(stoppingToken);
        try
        {
            waiting.AddRange(runningAttempts.TakeLines().SelectMany(lines => lines.Take()));
            if (waiting.Count > MaxWaiting)
            {
                Dropped(logger, waiting.Count - MaxWaiting);
                waiting = waiting[^MaxWaiting..];
            }

            while (waiting.Count > 0)
            {
                var batch = waiting.Take(BatchSize).ToList();
                await WriteAsync(batch, stoppingToken);
                waiting.RemoveRange(0, batch.Count);
            }
        }
        finally
        {
            round.Release();
        }
    }

    private async Task WriteAsync(List<HeavyTaskLogLine> batch, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        if (isAgain)
        {
            // Nobody knows whether the write that failed was committed after all.
            var tasks = batch.Select(line => line.TaskId).Distinct().ToArray();
            var written = await db
                .HeavyTaskLogLines.Where(line => tasks.Contains(line.TaskId))
                .GroupBy(line => new { line.TaskId, line.Attempt })
                .Select(lines => new
                {
                    lines.Key.TaskId,
                    lines.Key.Attempt,
                    Last = lines.Max(line => line.Number),
                })
                .ToDictionaryAsync(lines => (lines.TaskId, lines.Attempt), lines => lines.Last, cancellationToken);
            batch = [.. batch.Where(line => line.Number > written.GetValueOrDefault((line.TaskId, line.Attempt)))];
        }

        isAgain = true;
        db.AddRange(batch);
        await db.SaveChangesAsync(cancellationToken);
        isAgain = false;
        foreach (var lines in batch.GroupBy(line => (line.TaskId, line.Attempt)))
        {
            await ForgetAsync(
                db,
                lines.Key.TaskId,
                lines.Key.Attempt,
                lines.Min(l => l.Number),
                lines.Max(l => l.Number),
                cancellationToken
            );
        }
    }

    // Earlier lines than the last ones of this attempt, and those of attempts long ago.
    private static async Task ForgetAsync(DbContext db, Guid task, int attempt, int first, int last, CancellationToken cancellationToken)
    {
        if (last > HeavyTaskLogLine.MaxLines)
        {
            await db
                .HeavyTaskLogLines.Where(line =>
                    line.TaskId == task && line.Attempt == attempt && line.Number <= last - HeavyTaskLogLine.MaxLines
                )
                .ExecuteDeleteAsync(cancellationToken);
        }

        if (first == 1 && attempt > HeavyTaskLogLine.MaxAttempts)
        {
            await db
                .HeavyTaskLogLines.Where(line => line.TaskId == task && line.Attempt <= attempt - HeavyTaskLogLine.MaxAttempts)
                .ExecuteDeleteAsync(cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} lines that handlers logged are lost: the database was away for too long.")]
    private static partial void Dropped(ILogger logger, int count);
}
