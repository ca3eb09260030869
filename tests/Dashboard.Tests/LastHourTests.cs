using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Dashboard;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Dashboard.Tests;

/// <summary>The charts of the last hour, also where more processes and kinds have written figures than are read.</summary>
public sealed class LastHourTests : IAsyncLifetime
{
    private const int Processes = 3;

    private TestDatabase database = null!;
    private ServiceProvider services = null!;
    private DateTime minute;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        services = new ServiceCollection()
            .AddScoped(_ => database.CreateContext())
            .AddScoped(scope => new EngineContext(scope.GetRequiredService<PlatformDbContext>()))
            .BuildServiceProvider();

        // Of each of the last 65 minutes, each process wrote a row of two kinds; the last minute is not over.
        await using var db = database.CreateContext();
        var now = await Dialect.Current.ReadClockAsync(db, CancellationToken.None);
        minute = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMinute));
        for (var ago = 0; ago < 65; ago++)
        {
            foreach (var kind in new[] { "busy", "idle" })
            {
                for (var process = 0; process < Processes; process++)
                {
                    var (waits, runs) = (new TimeCounts(), new TimeCounts());
                    waits.Add(TimeSpan.FromSeconds(kind == "busy" ? 4 : 1));
                    runs.Add(TimeSpan.FromSeconds(2));
                    db.Add(
                        new HeavyTaskMinute
                        {
                            Minute = minute.AddMinutes(-ago),
                            Kind = kind,
                            InstanceId = Guid.CreateVersion7(),
                            Succeeded = kind == "busy" ? 10 : 1,
                            Failed = 2,
                            Waits = $"{waits}",
                            Runs = $"{runs}",
                        }
                    );
                }
            }
        }

        await db.SaveChangesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task All_processes_of_a_minute_count_together()
    {
        var hour = await ReadAsync(new LastHourQuery());

        hour.TimesSince.ShouldBeNull();
        hour.Kinds.Select(kind => kind.Kind).ShouldBe(["busy", "idle"]);
        hour.Kinds[0].Succeeded.ShouldAllBe(count => count == 10 * Processes);
        hour.Kinds[1].Succeeded.ShouldAllBe(count => count == Processes);
        hour.Kinds[0].Failed.ShouldAllBe(count => count == 2 * Processes);
        hour.Kinds[0].WaitP95.ShouldAllBe(seconds => seconds > 3 && seconds < 5);
        hour.Kinds[0].RecentRuns.Total.ShouldBe(LastHour.Recent * Processes);
        hour.Kinds[0].RecentWaits.Total.ShouldBe(LastHour.Recent * Processes);
    }

    [Fact]
    public async Task Counts_are_complete_however_many_rows_there_are_and_it_is_said_of_when_times_are()
    {
        // Ten minutes, and a part of the eleventh.
        var hour = await ReadAsync(new LastHourQuery(10 * 2 * Processes + 1));

        var since = hour.TimesSince!.Value;
        var known = hour.Minutes.Index().Where(m => m.Item >= since).Select(m => m.Index).ToList();
        known.Count.ShouldBe(10);
        hour.Kinds[0].Succeeded.ShouldAllBe(count => count == 10 * Processes);
        hour.Kinds[0].WaitP95.Index().Where(m => m.Item > 0).Select(m => m.Index).ShouldBe(known);
        hour.Kinds[0].RecentWaits.Total.ShouldBe(LastHour.Recent * Processes);
    }

    private async Task<LastHour> ReadAsync(LastHourQuery query)
    {
        await using var scope = services.CreateAsyncScope();
        return await query.ReadAsync(scope.ServiceProvider, TestContext.Current.CancellationToken);
    }
}
