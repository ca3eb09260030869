using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Looks every second for what the database knows and no message says: tasks that became due, tasks of dead owners, and tasks whose
/// message vanished. Runs in every worker; any number of them may look at once, because rows under work elsewhere are skipped.
/// </summary>
internal sealed partial class HeavyTaskScheduler(
    DeadOwners deadOwners,
    TakeOver takeOver,
    VanishedMessages vanishedMessages,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<HeavyTaskScheduler> logger
) : PollingLoop(options.Value.Interval, time, logger)
{
    private const int BatchSize = 500;

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        await QueueDueAsync(stoppingToken);
        await TakeOverAsync(stoppingToken);
        await vanishedMessages.PublishAgainAsync(stoppingToken);
    }

    private async Task QueueDueAsync(CancellationToken cancellationToken)
    {
        int count;
        do
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var due = await db
                .HeavyTasks.FromSql(DueStatement.Of(BatchSize))
                .AsNoTracking()
                .Select(t => new HeavyTaskRequested(t.Id, t.Kind))
                .ToListAsync(cancellationToken);
            count = due.Count;
            if (count == 0)
            {
                return;
            }

            await lifecycle.QueueDueAsync(due, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            Due(logger, count);
        } while (count == BatchSize);
    }

    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<(Guid Owner, string Why)> dead;
        await using (var scope = scopes.CreateAsyncScope())
        {
            dead = await deadOwners.FindAsync(scope.ServiceProvider.GetRequiredService<EngineContext>().Db, cancellationToken);
        }

        foreach (var (owner, why) in dead)
        {
            await takeOver.TakeAllAsync(owner, why, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} tasks became due.")]
    private static partial void Due(ILogger logger, int count);
}
