using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Faults.Tests;

public sealed class ClockTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact(Explicit = true)]
    public async Task The_clock_of_the_database_may_jump_by_an_hour_forwards_and_back()
    {
        var clock = ServerClock.Create();
        var database = await PrivateDatabase.CreateInAsync(clock.Folder, DatabaseFaults.ServerSettings);
        await Disaster.SurviveAsync(
            database,
            await PrivateBroker.CreateAsync(),
            async system =>
            {
                await JumpAsync(system, clock, Hour);
                await JumpAsync(system, clock, TimeSpan.Zero);

                // What was to be tried again within that hour waits for it to come.
                await JumpAsync(system, clock, Hour);
            }
        );
    }

    // Tasks come and end afterwards as before.
    private static async Task JumpAsync(FaultSystem system, ServerClock clock, TimeSpan offset)
    {
        clock.Set(offset);
        await using var db = system.CreateContext();
        var now = await Dialect.Current.ReadClockAsync(db, TestContext.Current.CancellationToken);
        (now - TimeProvider.System.GetUtcNow().UtcDateTime).ShouldBe(offset, TimeSpan.FromMinutes(1));
        var before = await SucceededAsync();
        await Disaster.AcceptAsync(system, 100);
        await Eventually.Async(
            async () => await SucceededAsync() >= before + 100,
            TimeSpan.FromSeconds(60),
            $"tasks end although the clock has jumped to {offset}"
        );
        await Disaster.WaitAsync(TimeSpan.FromSeconds(4));

        Task<int> SucceededAsync() => db.HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Succeeded);
    }
}
