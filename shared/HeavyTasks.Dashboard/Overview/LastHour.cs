using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>What was done in each minute of the last hour.</summary>
/// <param name="Minutes">The minutes, the oldest first (UTC).</param>
/// <param name="Kinds">The kinds that did something, the busiest first.</param>
internal sealed record LastHour(IReadOnlyList<DateTime> Minutes, IReadOnlyList<KindHour> Kinds)
{
    /// <summary>How many minutes there are.</summary>
    public const int Length = 60;

    /// <summary>The last minutes, of which the figures of the table are.</summary>
    public const int Recent = 5;
}

/// <summary>What one kind did.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Succeeded">Attempts that succeeded, by minute.</param>
/// <param name="Failed">Attempts that failed, by minute.</param>
/// <param name="WaitP95">How long tasks waited in the queue, by minute: 95 % not longer, in seconds.</param>
/// <param name="RecentWaits">How long tasks waited in the last <see cref="LastHour.Recent"/> minutes.</param>
/// <param name="RecentRuns">How long attempts ran in these minutes.</param>
internal sealed record KindHour(
    string Kind,
    double[] Succeeded,
    double[] Failed,
    double[] WaitP95,
    TimeCounts RecentWaits,
    TimeCounts RecentRuns
)
{
    /// <summary>Attempts that succeeded, per minute, over the last minutes.</summary>
    public double SucceededPerMinute => Succeeded.TakeLast(LastHour.Recent).Average();

    /// <summary>Attempts that failed, per minute, over the last minutes.</summary>
    public double FailedPerMinute => Failed.TakeLast(LastHour.Recent).Average();
}

/// <summary>Reads the minutes of the last hour.</summary>
internal sealed record LastHourQuery : ILiveQuery<LastHour>
{
    // Of very many kinds and workers, the newest.
    private const int MaxRows = 50_000;

    // What it shows changes once a minute; the last rows of a minute come some seconds after its end.
    public TimeSpan? Interval => TimeSpan.FromSeconds(10);

    public async Task<LastHour> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);

        // The minute that is not over yet would look like a fall.
        var end = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMinute));
        var begin = end.AddMinutes(-LastHour.Length);
        var rows = await db
            .HeavyTaskMinutes.AsNoTracking()
            .Where(m => m.Minute >= begin && m.Minute < end)
            .OrderByDescending(m => m.Minute)
            .Take(MaxRows)
            .ToListAsync(cancellationToken);
        return new LastHour(
            [.. Enumerable.Range(0, LastHour.Length).Select(i => begin.AddMinutes(i))],
            [
                .. rows.GroupBy(m => m.Kind)
                    .Select(kind => Of(kind.Key, [.. kind], begin))
                    .OrderByDescending(kind => kind.Succeeded.Sum() + kind.Failed.Sum())
                    .ThenBy(kind => kind.Kind, StringComparer.Ordinal),
            ]
        );
    }

    private static KindHour Of(string kind, List<HeavyTaskMinute> rows, DateTime begin)
    {
        var (succeeded, failed, waits) = (new double[LastHour.Length], new double[LastHour.Length], new double[LastHour.Length]);
        var (recentWaits, recentRuns) = (new TimeCounts(), new TimeCounts());
        foreach (var minute in rows.GroupBy(m => m.Minute))
        {
            var index = (int)(minute.Key - begin).TotalMinutes;
            if (index is < 0 or >= LastHour.Length)
            {
                continue;
            }

            var counts = new TimeCounts();
            foreach (var row in minute)
            {
                succeeded[index] += row.Succeeded;
                failed[index] += row.Failed;
                counts.Add(row.Waits);
                if (index >= LastHour.Length - LastHour.Recent)
                {
                    recentWaits.Add(row.Waits);
                    recentRuns.Add(row.Runs);
                }
            }

            waits[index] = counts.Percentile(0.95)?.TotalSeconds ?? 0;
        }

        return new KindHour(kind, succeeded, failed, waits, recentWaits, recentRuns);
    }
}
