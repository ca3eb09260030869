using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>
/// One run of a system that a single, rare disaster strikes, from its start to its ledger. Such tests need several servers, a disk or a clock
/// of their own, and so only <c>bench/run-faults.sh --disasters</c> runs them.
/// </summary>
internal static class Disaster
{
    // Up to five servers share one disk here, and nothing may pile up: what comes after the disaster is looked at.
    private const double PerSecond = 30;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(4);

    /// <param name="database">The database server; the run ends it.</param>
    /// <param name="broker">The broker; the run ends it.</param>
    /// <param name="strikeAsync">The disaster. It is over when this returns.</param>
    /// <param name="settings">Settings of the services, as environment variables, that differ from the ordinary ones.</param>
    public static async Task SurviveAsync(
        PrivateDatabase database,
        PrivateBroker broker,
        Func<FaultSystem, Task> strikeAsync,
        IReadOnlyDictionary<string, string>? settings = null
    )
    {
        await using var system = await FaultSystem.StartAsync(Environment.TickCount, PerSecond, database, broker, settings);
        try
        {
            await WaitAsync(Calm);
            await strikeAsync(system);
            await WaitAsync(Calm);
            var ledger = await Ledger.CheckAsync(system);
            Write(ledger.ToString());
            ledger.Accepted.ShouldBeGreaterThan(0);
        }
        catch
        {
            Write(await CountAsync(system));
            Write(system.Describe());
            throw;
        }
    }

    private static async Task<string> CountAsync(FaultSystem system)
    {
        try
        {
            await using var db = system.CreateContext();
            var counts = await db
                .HeavyTasks.GroupBy(t => new { t.Kind, t.Status })
                .Select(g => new { g.Key, Count = g.Count() })
                .ToListAsync();
            return $"{system.Load.Accepted.Count} accepted; {string.Join(", ", counts.Select(c => $"{c.Count} {c.Key.Kind} {c.Key.Status}"))}";
        }
        catch (DbException exception)
        {
            return $"{system.Load.Accepted.Count} accepted; {exception.Message}";
        }
    }

    /// <summary>Waits while the load goes on.</summary>
    public static Task WaitAsync(TimeSpan time) => Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);

    /// <summary>Waits until so many more tasks were accepted: the system works.</summary>
    public static async Task AcceptAsync(FaultSystem system, int more)
    {
        var before = system.Load.Accepted.Count;
        await Eventually.Async(
            () => Task.FromResult(system.Load.Accepted.Count >= before + more),
            TimeSpan.FromSeconds(60),
            $"{more} more tasks are accepted"
        );
    }

    /// <summary>Writes a line to the test's output.</summary>
    public static void Write(string line) => TestContext.Current.TestOutputHelper!.WriteLine(line);
}
