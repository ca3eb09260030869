using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;
using Platform.Persistence;

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
    ILogger<HeavyTaskScheduler> logger) : BackgroundService
{
    private const int BatchSize = 500;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval, time);
        do
        {
            try
            {
                await QueueDueAsync(stoppingToken);
                await TakeOverAsync(stoppingToken);
                await vanishedMessages.PublishAgainAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                RoundFailed(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task QueueDueAsync(CancellationToken cancellationToken)
    {
        int count;
        do
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
            var outbox = scope.ServiceProvider.GetRequiredService<OutboxPublishEndpoint>();
            await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
            var due = await db.HeavyTasks.FromSql(DueStatement.Of(BatchSize)).AsNoTracking()
                .Select(t => new { t.Id, t.Kind }).ToListAsync(cancellationToken);
            count = due.Count;
            if (count == 0)
            {
                return;
            }

            await db.HeavyTasks.QueueDueAsync([.. due.Select(t => t.Id)], cancellationToken);
            foreach (var task in due)
            {
                await outbox.PublishAsync(new HeavyTaskRequested(task.Id, task.Kind), cancellationToken);
            }

            await db.SaveChangesAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            Due(logger, count);
        }
        while (count == BatchSize);
    }

    private async Task TakeOverAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<(Guid Owner, string Why)> dead;
        await using (var scope = scopes.CreateAsyncScope())
        {
            dead = await deadOwners.FindAsync(scope.ServiceProvider.GetRequiredService<PlatformDbContext>(), cancellationToken);
        }

        foreach (var (owner, why) in dead)
        {
            await takeOver.TakeAllAsync(owner, why, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Count} tasks became due.")]
    private static partial void Due(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A round of the scheduler failed; the next one follows.")]
    private static partial void RoundFailed(ILogger logger, Exception exception);
}
