using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Testing;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>A paused kind begins no task, and loses none.</summary>
public sealed class PauseTests : WorkerTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Tasks_of_a_paused_kind_wait_and_run_when_it_is_resumed()
    {
        // Messages that are not delivered for a second count as vanished. Those of a paused kind have not.
        var worker = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:00:01"), ("HeavyTasks:OvertakenAfter", "00:00:01"));
        await PauseAsync(worker, isPaused: true);
        var waiting = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            waiting.Add(await worker.SubmitAsync(new TestParameters()));
        }

        var queuedAt = (await ReadAsync(waiting[0])).QueuedAt;

        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, TestContext.Current.CancellationToken);

        Script.Runs.ShouldBe(0);
        (await ReadAsync(waiting[0])).QueuedAt.ShouldBe(queuedAt, "its message was published again");
        await PauseAsync(worker, isPaused: false);
        foreach (var id in waiting)
        {
            (await worker.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        }

        Script.Runs.ShouldBe(5);
    }

    [Fact]
    public async Task A_task_that_runs_goes_on_while_its_kind_is_paused()
    {
        var worker = await StartWorkerAsync();
        var (started, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        Script.Work = (_, _) =>
        {
            started.TrySetResult();
            return release.Task;
        };
        var id = await worker.SubmitAsync(new TestParameters());
        await started.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

        await PauseAsync(worker, isPaused: true);
        release.SetResult();

        (await worker.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task A_worker_that_starts_while_a_kind_is_paused_begins_none_of_its_tasks()
    {
        var first = await StartWorkerAsync();
        await PauseAsync(first, isPaused: true);
        await first.StopAsync();

        // Its announcement changes nothing.
        var second = await StartWorkerAsync();
        var id = await second.SubmitAsync(new TestParameters());
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken);

        Script.Runs.ShouldBe(0);
        await PauseAsync(second, isPaused: false);
        (await second.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task A_worker_of_a_paused_kind_stops_at_once_and_its_tasks_stay_queued()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:DrainTimeout", "00:00:20"));
        await PauseAsync(worker, isPaused: true);
        var id = await worker.SubmitAsync(new TestParameters());

        // By then its delivery waits in the worker.
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, TestContext.Current.CancellationToken);

        var begun = TimeProvider.System.GetTimestamp();
        await worker.StopAsync();

        TimeProvider.System.GetElapsedTime(begun).ShouldBeLessThan(TimeSpan.FromSeconds(15));
        var task = await ReadAsync(id);
        (task.Status, task.Failures, task.Crashes).ShouldBe((HeavyTaskStatus.Queued, 0, 0));
        (await Database.CountAsync("poison_messages")).ShouldBe(0);
    }

    private async Task PauseAsync(HeavyTaskTestHarness worker, bool isPaused)
    {
        await using var db = Database.CreateContext();
        var changed = await db.AnnouncedKinds.ExecuteUpdateAsync(set =>
            set.SetProperty(k => k.PausedAt, isPaused ? TimeProvider.System.GetUtcNow().UtcDateTime : null)
        );
        changed.ShouldBe(1);
        var slots = worker.Services.GetRequiredService<HeavyTaskSlots>();
        await Eventually.Async(() => Task.FromResult(slots.IsPaused("test.kind") == isPaused), Patience);
    }
}
