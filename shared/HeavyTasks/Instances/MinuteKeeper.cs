using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Counts what this process does in each minute, in memory, and writes it every five seconds: one small row for each kind that had something
/// to count. A row that could not be written for ten minutes is forgotten.
/// </summary>
internal sealed class MinuteKeeper(InstanceIdentity instance, IServiceScopeFactory scopes, TimeProvider time, ILogger<MinuteKeeper> logger)
    : PollingLoop(TimeSpan.FromSeconds(5), time, logger)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    private readonly Lock gate = new();
    private readonly Dictionary<(DateTime Minute, string Kind), Counts> minutes = [];

    /// <summary>Counts a task that waited in the queue.</summary>
    public void Waited(string kind, TimeSpan wait) => Change(kind, counts => counts.Waits.Add(wait));

    /// <summary>Counts an attempt that ended.</summary>
    public void Ended(string kind, AttemptOutcome outcome, TimeSpan ran) =>
        Change(
            kind,
            counts =>
            {
                counts.Succeeded += outcome == AttemptOutcome.Succeeded ? 1 : 0;
                counts.Failed += outcome is AttemptOutcome.Failed or AttemptOutcome.TimedOut ? 1 : 0;
                counts.Cancelled += outcome == AttemptOutcome.Cancelled ? 1 : 0;
                counts.Runs.Add(ran);
            }
        );

    /// <inheritdoc />
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        var taken = Take();
        try
        {
            while (taken.TryPeek(out var next))
            {
                await WriteAsync(next.Row, isNew: !next.Counts.IsWritten, stoppingToken);
                next.Counts.IsWritten = true;
                taken.Dequeue();
            }
        }
        finally
        {
            // What was not written is taken again.
            lock (gate)
            {
                foreach (var (counts, _) in taken)
                {
                    counts.IsChanged = true;
                }
            }
        }
    }

    /// <inheritdoc />
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryRoundAsync(cancellationToken);
    }

    private async Task WriteAsync(HeavyTaskMinute row, bool isNew, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;

        // A statement may have been committed although its answer was lost, so a new row is looked for, too.
        var updated = await db
            .HeavyTaskMinutes.Where(m => m.Minute == row.Minute && m.Kind == row.Kind && m.InstanceId == row.InstanceId)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(m => m.Succeeded, row.Succeeded)
                        .SetProperty(m => m.Failed, row.Failed)
                        .SetProperty(m => m.Cancelled, row.Cancelled)
                        .SetProperty(m => m.Waits, row.Waits)
                        .SetProperty(m => m.Runs, row.Runs),
                cancellationToken
            );
        if (updated == 0 && isNew)
        {
            db.Add(row);
            await db.SaveChangesAsync(cancellationToken);
        }
    }

    private Queue<(Counts Counts, HeavyTaskMinute Row)> Take()
    {
        var changed = new Queue<(Counts, HeavyTaskMinute)>();
        lock (gate)
        {
            var now = ThisMinute();
            foreach (var (key, counts) in minutes.ToArray())
            {
                if (counts.IsChanged)
                {
                    counts.IsChanged = false;
                    changed.Enqueue((counts, counts.ToRow(key.Minute, key.Kind, instance.Id)));
                }
                else if (key.Minute < now)
                {
                    minutes.Remove(key);
                }

                if (key.Minute < now - Kept)
                {
                    minutes.Remove(key);
                }
            }
        }

        return changed;
    }

    private void Change(string kind, Action<Counts> change)
    {
        lock (gate)
        {
            var key = (ThisMinute(), kind);
            if (!minutes.TryGetValue(key, out var counts))
            {
                minutes[key] = counts = new Counts();
            }

            change(counts);
            counts.IsChanged = true;
        }
    }

    private DateTime ThisMinute()
    {
        var now = Time.GetUtcNow().UtcDateTime;
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMinute));
    }

    private sealed class Counts
    {
        public int Succeeded { get; set; }

        public int Failed { get; set; }

        public int Cancelled { get; set; }

        public TimeCounts Waits { get; } = new();

        public TimeCounts Runs { get; } = new();

        public bool IsChanged { get; set; }

        public bool IsWritten { get; set; }

        public HeavyTaskMinute ToRow(DateTime minute, string kind, Guid instance) =>
            new()
            {
                Minute = minute,
                Kind = kind,
                InstanceId = instance,
                Succeeded = Succeeded,
                Failed = Failed,
                Cancelled = Cancelled,
                Waits = Waits.ToString(),
                Runs = Runs.ToString(),
            };
    }
}
