using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What charts of the last hour are made of.</summary>
public sealed class MinuteTests : WorkerTest
{
    [Fact]
    public async Task What_ended_and_how_long_it_took_is_counted_once_however_often_it_is_written()
    {
        var worker = await StartWorkerAsync();
        for (var i = 0; i < 3; i++)
        {
            await worker.FinishedAsync(await worker.SubmitAsync(new TestParameters()));
        }

        Script.Work = (_, _) => throw new NonRetryableException("no");
        await worker.FinishedAsync(await worker.SubmitAsync(new TestParameters()));
        var keeper = worker.Services.GetRequiredService<MinuteKeeper>();
        await Eventually.Async(async () => (await ReadAsync()).Failed == 1, TimeSpan.FromSeconds(20), "it is written");

        var (succeeded, failed, waits, runs) = await ReadAsync();

        (succeeded, failed, waits, runs).ShouldBe((3, 1, 4L, 4L));
        await keeper.StopAsync(CancellationToken.None);
        (await ReadAsync()).ShouldBe((3, 1, 4L, 4L));

        // A minute may have ended meanwhile.
        async Task<(int Succeeded, int Failed, long Waits, long Runs)> ReadAsync()
        {
            await using var db = Database.CreateContext();
            var rows = await db.HeavyTaskMinutes.AsNoTracking().Where(m => m.Kind == "test.kind").ToListAsync();
            var (waited, ran) = (new TimeCounts(), new TimeCounts());
            rows.ForEach(row => waited.Add(row.Waits));
            rows.ForEach(row => ran.Add(row.Runs));
            return (rows.Sum(row => row.Succeeded), rows.Sum(row => row.Failed), waited.Total, ran.Total);
        }
    }

    [Fact]
    public async Task Minutes_that_no_chart_shows_are_deleted()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        await using var db = Database.CreateContext();
        foreach (var age in new[] { 1, 110, 130, 131, 500 })
        {
            db.Add(new HeavyTaskMinute { Minute = now.AddMinutes(-age), Kind = "k" });
            db.Add(new HeavyTaskMinute { Minute = now.AddMinutes(-age), Kind = "other" });
        }

        await db.SaveChangesAsync();

        await StartWorkerAsync(("HeavyTasks:RetentionInterval", "00:00:01"));

        await Eventually.Async(async () => await db.HeavyTaskMinutes.CountAsync() == 4, TimeSpan.FromSeconds(20), "the old ones are gone");
    }

    [Fact]
    public void Percentiles_of_several_processes_are_right_to_a_fifth()
    {
        var (one, other, all) = (new TimeCounts(), new TimeCounts(), new TimeCounts());
        for (var i = 1; i <= 1_000; i++)
        {
            (i % 2 == 0 ? one : other).Add(TimeSpan.FromMilliseconds(i));
        }

        all.Add(one.ToString());
        all.Add(other.ToString());
        all.Add("of another version 999:1 3:x");

        all.Total.ShouldBe(1_000);
        foreach (var (share, expected) in new[] { (0.5, 500.0), (0.95, 950.0), (0.01, 10.0) })
        {
            all.Percentile(share)!.Value.TotalMilliseconds.ShouldBeInRange(expected * 0.8, expected * 1.25);
        }

        new TimeCounts().Percentile(0.5).ShouldBeNull();
        var extremes = new TimeCounts();
        extremes.Add(TimeSpan.Zero);
        extremes.Add(TimeSpan.FromDays(30));
        extremes.Percentile(1)!.Value.ShouldBeGreaterThan(TimeSpan.FromHours(2));
        HeavyTaskMinute.MaxTimesLength.ShouldBeGreaterThan(48 * "47:2147483647 ".Length);
    }
}
