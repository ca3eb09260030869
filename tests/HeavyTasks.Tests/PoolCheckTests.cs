using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Platform.Contracts;
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
    [InlineData(20, 1, 2)]
    [InlineData(20, 7, 2)]
    [InlineData(20, 8, 1)]
    [InlineData(10, 2, 2)]
    [InlineData(10, 3, 1)]
    [InlineData(10, 4, 1)]
    public void One_more_kind_without_limits_does_not_keep_the_worker_from_starting(int pool, int kinds, int concurrency)
    {
        var options = OptionsOf(pool, kinds, []);

        options.Kinds.Count.ShouldBe(kinds);
        options.Kinds.Values.ShouldAllBe(kind => kind.Concurrency == concurrency);
    }

    [Fact]
    public void Concurrency_that_is_set_stays()
    {
        var options = OptionsOf(pool: 10, kinds: 3, [("kind0", 2)]);

        options.Of("kind0").Concurrency.ShouldBe(2);
        options.Of("kind1").Concurrency.ShouldBe(1);
        options.Of("kind2").Concurrency.ShouldBe(1);
    }

    [Fact]
    public void Too_many_kinds_for_one_task_of_each_are_refused_with_the_pool_that_they_need()
    {
        var handled = Handled(5);
        var database = new DatabaseOptions { MaxPoolSize = 10 };
        var options = new HeavyTaskOptions();
        new DefaultConcurrency(handled, Options.Create(database)).PostConfigure(null, options);

        PoolCheck.Describe(handled, options, database).ShouldNotBeNull().ShouldContain("Raise Database:MaxPoolSize to 11,");
    }

    private static HeavyTaskOptions OptionsOf(int pool, int kinds, (string Kind, int Concurrency)[] set)
    {
        var handled = Handled(kinds);
        var database = new DatabaseOptions { MaxPoolSize = pool };
        var options = new HeavyTaskOptions();
        foreach (var (kind, concurrency) in set)
        {
            options.Kinds[kind] = new HeavyTaskKindOptions { Concurrency = concurrency };
        }

        new DefaultConcurrency(handled, Options.Create(database)).PostConfigure(null, options);
        PoolCheck.Describe(handled, options, database).ShouldBeNull();
        return options;
    }

    private static HandledKinds Handled(int count) => new(Enumerable.Range(0, count).Select(number => new NamedKind($"kind{number}")));

    private sealed class NamedKind(string name) : HandledKind(new HeavyTaskKindAttribute(name), typeof(NamedKind), typeof(object))
    {
        internal override Task RunAsync(IServiceProvider scope, AttemptContext attempt) => Task.CompletedTask;
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
