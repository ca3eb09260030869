using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>What was done in each minute of the last hour.</summary>
/// <param name="Minutes">The minutes, the oldest first (UTC).</param>
/// <param name="Kinds">The kinds that did something, the busiest first.</param>
/// <param name="TimesSince">
/// The first minute (UTC) of which times were read, where there are more rows than are read at once; null when there is nothing left out.
/// </param>
internal sealed record LastHour(IReadOnlyList<DateTime> Minutes, IReadOnlyList<KindHour> Kinds, DateTime? TimesSince)
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
/// <param name="MaxRows">
/// The most rows whose times are read, the newest first. Only counts can be added up by the database, so times are read row by row, and each
/// process writes one for each kind and minute.
/// </param>
internal sealed record LastHourQuery(int MaxRows = 50_000) : ILiveQuery<LastHour>
{
    // What it shows changes once a minute; the last rows of a minute come some seconds after its end.
    public TimeSpan? Interval => TimeSpan.FromSeconds(10);

    public async Task<LastHour> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);

        // The minute that is not over yet would look like a fall.
        var end = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMinute));
        var begin = end.AddMinutes(-LastHour.Length);
        var minutes = db.HeavyTaskMinutes.AsNoTracking().Where(m => m.Minute >= begin && m.Minute < end);
        var counts = await minutes
            .GroupBy(m => new { m.Kind, m.Minute })
            .Select(g => new Counts(g.Key.Kind, g.Key.Minute, g.Sum(m => m.Succeeded), g.Sum(m => m.Failed)))
            .ToListAsync(cancellationToken);
        var times = await minutes
            .OrderByDescending(m => m.Minute)
            .Take(MaxRows + 1)
            .Select(m => new Times(m.Kind, m.Minute, m.Waits, m.Runs))
            .ToListAsync(cancellationToken);

        // Of the oldest minute that was reached there may be more.
        DateTime? since = times.Count > MaxRows ? times[^1].Minute.AddMinutes(1) : null;
        var timesOf = times.Where(row => since is null || row.Minute >= since).ToLookup(row => row.Kind);
        return new LastHour(
            [.. Enumerable.Range(0, LastHour.Length).Select(i => begin.AddMinutes(i))],
            [
                .. counts
                    .GroupBy(m => m.Kind)
                    .Select(kind => Of(kind.Key, kind, timesOf[kind.Key], begin))
                    .OrderByDescending(kind => kind.Succeeded.Sum() + kind.Failed.Sum())
                    .ThenBy(kind => kind.Kind, StringComparer.Ordinal),
            ],
            since
        );
    }

    private static KindHour Of(string kind, IEnumerable<Counts> counts, IEnumerable<Times> times, DateTime begin)
    {
        var (succeeded, failed, waits) = (new double[LastHour.Length], new double[LastHour.Length], new double[LastHour.Length]);
        var (recentWaits, recentRuns) = (new TimeCounts(), new TimeCounts());
        foreach (var minute in counts)
        {
            var index = IndexOf(minute.Minute, begin);
            succeeded[index] = minute.Succeeded;
            failed[index] = minute.Failed;
        }

        foreach (var minute in times.GroupBy(row => IndexOf(row.Minute, begin)))
        {
            var all = new TimeCounts();
            foreach (var row in minute)
            {
                all.Add(row.Waits);
                if (minute.Key >= LastHour.Length - LastHour.Recent)
                {
                    recentWaits.Add(row.Waits);
                    recentRuns.Add(row.Runs);
                }
            }

            waits[minute.Key] = all.Percentile(0.95)?.TotalSeconds ?? 0;
        }

        return new KindHour(kind, succeeded, failed, waits, recentWaits, recentRuns);
    }

    private static int IndexOf(DateTime minute, DateTime begin) => (int)(minute - begin).TotalMinutes;

    private sealed record Counts(string Kind, DateTime Minute, int Succeeded, int Failed);

    private sealed record Times(string Kind, DateTime Minute, string Waits, string Runs);
}
