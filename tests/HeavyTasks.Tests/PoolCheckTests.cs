using Microsoft.EntityFrameworkCore;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class PoolCheckTests : WorkerTest
{
    private static readonly (string, string)[] TooSmall =
    [
        ("Database:MaxPoolSize", "9"),
        ("HeavyTasks:Kinds:test.kind:Concurrency", "2"),
        ("HeavyTasks:Kinds:test.kind:ConnectionsPerTask", "2"),
        ("HeavyTasks:ReservedConnections", "6"),
    ];

    [Fact]
    public async Task Worker_whose_pool_cannot_carry_its_slots_refuses_to_start_and_shows_the_sum()
    {
        var error = await Should.ThrowAsync<PoolTooSmallException>(() =>
            StartWorkerAsync([.. TooSmall, ("HeavyTasks:PoolCheck", "Error")])
        );

        error.Message.ShouldContain("test.kind: 2 x 2 + 6 reserved = 10 connections, but Database:MaxPoolSize is 9");
        error.Message.ShouldContain("HeavyTasks:Kinds:<kind>:Concurrency");
        error.Message.ShouldContain("HeavyTasks:PoolCheck");
        await using var db = Database.CreateContext();
        (await db.Instances.CountAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("Warn")]
    [InlineData("Off")]
    public async Task It_starts_when_told_to_and_does_its_work(string mode)
    {
        await StartWorkerAsync([.. TooSmall, ("HeavyTasks:PoolCheck", mode)]);
        var id = await InsertAsync();
        await Eventually.Async(async () => (await ReadAsync(id)).Status == HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Pool_that_just_carries_its_slots_is_enough()
    {
        await StartWorkerAsync([.. TooSmall, ("Database:MaxPoolSize", "10"), ("HeavyTasks:PoolCheck", "Error")]);
        var id = await InsertAsync();
        await Eventually.Async(async () => (await ReadAsync(id)).Status == HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(60));
    }
}
