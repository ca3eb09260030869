using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Looks every second for work that the database knows of and no message announces: tasks that became due, and tasks whose message vanished. It runs in every worker. Any number of workers may look at once, because each skips rows that another has
/// locked.
/// </summary>
internal sealed partial class HeavyTaskScheduler(
    VanishedMessages vanishedMessages,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<HeavyTaskScheduler> logger
) : PollingLoop(options.Value.Interval, time, logger)
{
    private const int BatchSize = 500;

    // A million tasks may become due at once, and what else a round looks for must not wait for them.
    private const int BatchesPerRound = 10;

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        await QueueDueAsync(stoppingToken);
        await vanishedMessages.PublishAgainAsync(stoppingToken);
    }

    private async Task QueueDueAsync(CancellationToken cancellationToken)
    {
        for (var batch = 0; batch < BatchesPerRound; batch++)
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var due = await db.LockDue(BatchSize)
                .AsNoTracking()
                .Select(t => new HeavyTaskRequested(t.Id, t.Kind) { Crashes = t.Crashes })
                .ToListAsync(cancellationToken);
            if (due.Count == 0)
            {
                return;
            }

            await lifecycle.QueueDueAsync(due, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            Due(logger, due.Count);
            if (due.Count < BatchSize)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} tasks became due.")]
    private static partial void Due(ILogger logger, int count);
}
