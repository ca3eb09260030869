using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Publishes again for tasks whose message vanished: the broker confirms a message that no queue takes, and drops one that was
/// delivered too often. A backlog is not a loss: only a kind that has free slots and heard nothing from the broker for a while
/// is looked at, and only its oldest tasks. When all of these then left the queue, their messages really were gone, and the next
/// round is twice as large.
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
    private static readonly TimeSpan RoundTimeout = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, Round> rounds = [];

    public async Task PublishAgainAsync(CancellationToken cancellationToken)
    {
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

    private async Task PublishOldestAsync(string kind, int limit, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;

        // A message that is on its way is younger than this.
        var seconds = options.Value.VanishedAfter.TotalSeconds;
        var oldest = await db
            .HeavyTasks.Where(t =>
                t.Kind == kind && t.Status == HeavyTaskStatus.Queued && t.QueuedAt < DatabaseClock.UtcNow().AddSeconds(-seconds)
            )
            .OrderBy(t => t.Id)
            .Select(t => t.Id)
            .Take(limit)
            .ToArrayAsync(cancellationToken);
        rounds.Remove(kind);
        if (oldest.Length == 0)
        {
            return;
        }

        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
        await lifecycle.PublishAgainAsync([.. oldest.Select(id => new HeavyTaskRequested(id, kind))], cancellationToken);
        rounds[kind] = new Round(oldest, time.GetTimestamp());
        PublishedAgain(logger, oldest.Length, kind);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} queued tasks of kind {Kind} were published again: the broker delivered nothing for them."
    )]
    private static partial void PublishedAgain(ILogger logger, int count, string kind);

    private sealed record Round(Guid[] Tasks, long StartedAt);
}
