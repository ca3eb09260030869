using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Publishes again for tasks whose message vanished: a queue was deleted or lost, or the broker dropped a message that was delivered too
/// often. A backlog is not a loss, so this looks in two cases only. A kind has free slots and has heard nothing from the broker for a while:
/// then its oldest tasks are published, and when all of these have left the queue, their messages really were gone, and the next round is
/// twice as large. Or tasks were overtaken: others that were queued a minute later have been claimed, and queues keep their order.
/// </summary>
internal sealed partial class VanishedMessages(
    HandledKinds kinds,
    HeavyTaskSlots slots,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<VanishedMessages> logger
)
{
    private const int MaxRound = 1_000;
    private const int OvertakenLimit = 100;
    private static readonly TimeSpan RoundTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OvertakenInterval = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, Round> rounds = [];
    private long lookedForOvertaken = time.GetTimestamp();

    public async Task PublishAgainAsync(CancellationToken cancellationToken)
    {
        await PublishOvertakenAsync(cancellationToken);
        foreach (var kind in kinds.All)
        {
            if (slots.IdleTime(kind.Name) is not { } idle)
            {
                continue;
            }

            var round = rounds.GetValueOrDefault(kind.Name);
            if (round is not null)
            {
                await ContinueAsync(kind.Name, round, cancellationToken);
            }
            else if (idle >= options.Value.VanishedAfter)
            {
                await PublishOldestAsync(kind.Name, options.Value.Of(kind.Name).Concurrency, cancellationToken);
            }
        }
    }

    private async Task ContinueAsync(string kind, Round round, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var stillQueued = await db.HeavyTasks.CountAsync(
            t => round.Tasks.Contains(t.Id) && t.Status == HeavyTaskStatus.Queued,
            cancellationToken
        );
        if (stillQueued == 0)
        {
            await PublishOldestAsync(kind, Math.Min(round.Tasks.Length * 2, MaxRound), cancellationToken);
        }
        else if (time.GetElapsedTime(round.StartedAt) > RoundTimeout)
        {
            rounds.Remove(kind);
        }
    }

    private async Task PublishOvertakenAsync(CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(lookedForOvertaken) < OvertakenInterval)
        {
            return;
        }

        lookedForOvertaken = time.GetTimestamp();
        foreach (var kind in kinds.All)
        {
            // Of a paused kind no task is claimed, whatever its message does.
            if (!slots.IsPaused(kind.Name) && slots.LastQueuedAt(kind.Name) is { } queuedAt)
            {
                await PublishQueuedBeforeAsync(kind.Name, queuedAt - options.Value.OvertakenAfter, OvertakenLimit, cancellationToken);
            }
        }
    }

    private async Task PublishOldestAsync(string kind, int limit, CancellationToken cancellationToken)
    {
        // The message of a task that was queued more recently may still be on its way.
        await using var scope = scopes.CreateAsyncScope();
        var now = await Dialect.Current.ReadClockAsync(scope.ServiceProvider.GetRequiredService<EngineContext>().Db, cancellationToken);
        var oldest = await PublishQueuedBeforeAsync(kind, now - options.Value.VanishedAfter, limit, cancellationToken);
        rounds.Remove(kind);
        if (oldest.Length > 0)
        {
            rounds[kind] = new Round(oldest, time.GetTimestamp());
        }
    }

    // Locked rows are skipped, and published ones count as queued now, so of many workers that look at once each publishes others.
    private async Task<Guid[]> PublishQueuedBeforeAsync(string kind, DateTime moment, int limit, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var vanished = await db.LockQueuedBefore(kind, moment, limit)
            .AsNoTracking()
            .Select(t => new HeavyTaskRequested(t.Id, t.Kind) { Crashes = t.Crashes })
            .ToArrayAsync(cancellationToken);
        if (vanished.Length > 0)
        {
            var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
            await lifecycle.QueueAgainAsync(vanished, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            PublishedAgain(logger, vanished.Length, kind);
        }

        return [.. vanished.Select(task => task.TaskId)];
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} queued tasks of kind {Kind} were published again: the broker delivered nothing for them."
    )]
    private static partial void PublishedAgain(ILogger logger, int count, string kind);

    private sealed record Round(Guid[] Tasks, long StartedAt);
}
