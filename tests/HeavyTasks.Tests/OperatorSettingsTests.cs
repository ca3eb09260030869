using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Testing;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What operators set at run time: the slots of a kind, and a worker that drains.</summary>
public sealed class OperatorSettingsTests : WorkerTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> running = new();

    [Fact]
    public async Task Fewer_slots_count_as_tasks_end_and_more_at_once_but_never_more_than_configured()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "3"));
        HoldTasks();
        var ids = new List<Guid>();
        for (var i = 0; i < 6; i++)
        {
            ids.Add(await worker.SubmitAsync(new TestParameters()));
        }

        await Eventually.Async(() => running.Count == 3, Patience, "three run");
        await SetSlotsAsync(worker, 1);
        End(2);
        await NothingBeginsAsync(5);
        running.Count.ShouldBe(1, "two have ended, and nothing began instead");
        End(1);
        await Eventually.Async(() => Script.Runs == 4 && running.Count == 1, Patience, "one follows when the last has ended");

        await SetSlotsAsync(worker, 1000);

        await Eventually.Async(() => Script.Runs == 6 && running.Count == 3, Patience, "as many as configured run again");
        worker.Services.GetRequiredService<HeavyTaskSlots>().Total.ShouldBe(3);
        End(3);
        foreach (var id in ids)
        {
            (await worker.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        }

        // A message that waits for one of fewer slots is not published again.
        (await AttemptsOfAllAsync()).ShouldBe(6);
    }

    [Fact]
    public async Task Slots_that_change_while_tasks_come_and_go_are_neither_lost_nor_doubled()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "8"), ("Database:MaxPoolSize", "20"));
        var slots = worker.Services.GetRequiredService<HeavyTaskSlots>();
        var most = 0;
        var now = 0;
        using var end = new CancellationTokenSource();
        var takers = Enumerable
            .Range(0, 16)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (!end.IsCancellationRequested)
                    {
                        using var slot = await slots.TakeAsync("test.kind", CancellationToken.None);
                        var held = Interlocked.Increment(ref now);
                        InterlockedMax(ref most, held);
                        await Task.Yield();
                        Interlocked.Decrement(ref now);
                    }
                })
            )
            .ToList();
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            slots.SetLimit("test.kind", random.Next(1, 12));
            await Task.Yield();
        }

        slots.SetLimit("test.kind", null);
        await end.CancelAsync();
        await Task.WhenAll(takers).WaitAsync(Patience, TestContext.Current.CancellationToken);

        most.ShouldBeLessThanOrEqualTo(8);
        (slots.InUse, slots.Total).ShouldBe((0, 8));
        var all = new List<IDisposable?>();
        for (var i = 0; i < 8; i++)
        {
            all.Add(await slots.TakeAsync("test.kind", CancellationToken.None).WaitAsync(Patience, TestContext.Current.CancellationToken));
        }

        all.ShouldAllBe(slot => slot != null);
        all.ForEach(slot => slot!.Dispose());
    }

    [Fact]
    public async Task A_worker_that_drains_begins_nothing_finishes_what_it_runs_and_goes_on_when_it_may()
    {
        // Nothing is delivered to it meanwhile, and that is no sign of lost messages.
        var worker = await StartWorkerAsync(
            ("HeavyTasks:Kinds:test.kind:Concurrency", "2"),
            ("HeavyTasks:VanishedAfter", "00:00:01"),
            ("HeavyTasks:OvertakenAfter", "00:00:01")
        );
        HoldTasks();
        var first = await worker.SubmitAsync(new TestParameters());
        await Eventually.Async(() => running.Count == 1, Patience, "it runs");

        await SetDrainedAsync(worker, isDrained: true);
        var later = await worker.SubmitAsync(new TestParameters());
        var queuedAt = (await ReadAsync(later)).QueuedAt;
        await NothingBeginsAsync(1);
        End(1);
        (await worker.FinishedAsync(first)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        await NothingBeginsAsync(1);
        (await ReadAsync(later)).QueuedAt.ShouldBe(queuedAt, "its message was published again");

        await SetDrainedAsync(worker, isDrained: false);
        await Eventually.Async(() => running.Count == 1, Patience, "the other task begins");
        End(1);
        (await worker.FinishedAsync(later)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (await Database.CountAsync("poison_messages")).ShouldBe(0);
        (await AttemptsOfAllAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task Another_worker_takes_what_one_that_drains_had_been_given()
    {
        var draining = await StartWorkerAsync();
        var other = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:00:01"));

        await SetDrainedAsync(draining, isDrained: true);
        var id = await draining.SubmitAsync(new TestParameters());

        (await other.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (await AttemptsAsync(id)).Single().Owner.ShouldBe(other.Services.GetRequiredService<InstanceIdentity>().Id);
    }

    [Fact]
    public async Task A_worker_that_drains_stops_as_any_other()
    {
        var worker = await StartWorkerAsync();
        await SetDrainedAsync(worker, isDrained: true);
        var id = await worker.SubmitAsync(new TestParameters());

        await worker.StopAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);

        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    [Fact]
    public async Task The_row_of_a_worker_tells_the_slots_of_its_kinds()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "3"));

        await SetSlotsAsync(worker, 2);

        await Eventually.Async(
            async () =>
            {
                await using var db = Database.CreateContext();
                var row = await db.Instances.AsNoTracking().SingleAsync();
                return row.Slots == 2 && KindSlotCount.Read(row.KindSlots) is [{ Kind: "test.kind", Slots: 2, Configured: 3 }];
            },
            Patience,
            "it is told at once, and not with the next renewal"
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[{\"kind\":7}]")]
    public void What_another_version_wrote_of_its_slots_counts_as_nothing(string? json) => KindSlotCount.Read(json).ShouldBeEmpty();

    private static void InterlockedMax(ref int most, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref most)) < value && Interlocked.CompareExchange(ref most, value, seen) != seen) { }
    }

    private void HoldTasks() =>
        Script.Work = async (context, _) =>
        {
            var end = running.GetOrAdd(context.TaskId, _ => new TaskCompletionSource());
            await end.Task.WaitAsync(context.CancellationToken);
        };

    private void End(int count)
    {
        foreach (var id in running.Keys.Take(count))
        {
            running.TryRemove(id, out var end).ShouldBeTrue();
            end!.SetResult();
        }
    }

    // Several looks of the worker, and longer than what it takes for vanished messages.
    private async Task NothingBeginsAsync(int atMost)
    {
        var runs = Script.Runs;
        await Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System, TestContext.Current.CancellationToken);
        Script.Runs.ShouldBe(runs);
        running.Count.ShouldBeLessThanOrEqualTo(atMost);
    }

    private async Task<int> AttemptsOfAllAsync() => (int)await Database.CountAsync("heavy_task_attempts");

    private async Task SetSlotsAsync(HeavyTaskTestHarness worker, int slots)
    {
        await using var db = Database.CreateContext();
        (await db.AnnouncedKinds.ExecuteUpdateAsync(set => set.SetProperty(k => k.Slots, slots))).ShouldBe(1);
        var own = worker.Services.GetRequiredService<HeavyTaskSlots>();
        await Eventually.Async(() => own.Total == Math.Min(slots, 3), Patience, "the worker has seen it");
    }

    private async Task SetDrainedAsync(HeavyTaskTestHarness worker, bool isDrained)
    {
        var id = worker.Services.GetRequiredService<InstanceIdentity>().Id;
        DateTime? at = isDrained ? TimeProvider.System.GetUtcNow().UtcDateTime : null;
        await using var db = Database.CreateContext();
        (await db.Instances.Where(i => i.Id == id).ExecuteUpdateAsync(set => set.SetProperty(i => i.DrainedAt, at))).ShouldBe(1);
        var slots = worker.Services.GetRequiredService<HeavyTaskSlots>();
        await Eventually.Async(() => slots.IsDraining == isDrained, Patience, "the worker has seen it");
    }
}
