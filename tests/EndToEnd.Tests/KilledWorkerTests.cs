using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>Real workers on real servers are killed, paused and stopped.</summary>
public sealed class KilledWorkerTests
{
    [Fact]
    public async Task With_another_worker_alive_the_tasks_of_a_killed_one_run_again_long_before_its_lease_ends()
    {
        await using var system = await TestSystem.StartAsync();
        var first = await system.StartWorkerAsync();
        var id = await system.SubmitStepsAsync("a", steps: 150, pauseMilliseconds: 100);
        await system.WaitForStepAsync("a", 3);
        await system.StartWorkerAsync();

        await first.KillAsync();

        // The lease is 30 s. On a quiet machine the second attempt starts within 3 s; the limit here leaves room for a busy machine.
        await Eventually.Async(
            async () => (await system.AttemptsAsync(id)).Count == 2,
            TimeSpan.FromSeconds(15),
            "the other worker takes over"
        );
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        (await system.StepsWrittenAsync("a")).ShouldBe(Enumerable.Range(0, 150));
        var attempts = await system.AttemptsAsync(id);
        attempts.Select(a => a.Outcome).ShouldBe([AttemptOutcome.Crashed, AttemptOutcome.Succeeded]);
    }

    [Fact]
    public async Task A_worker_killed_again_and_again_does_every_step_exactly_once()
    {
        await using var system = await TestSystem.StartAsync();
        var id = await system.SubmitStepsAsync("a", steps: 120, pauseMilliseconds: 25);
        var random = new Random(11);
        var kills = 0;
        while ((await system.ReadAsync(id)).Status is HeavyTaskStatus.Queued or HeavyTaskStatus.Running && kills < 4)
        {
            var before = (await system.StepsWrittenAsync("a")).Count;
            var worker = await system.StartWorkerAsync(("HeavyTasks:MaxCrashes", "100"));
            await Eventually.Async(
                async () => (await system.StepsWrittenAsync("a")).Count > before,
                TimeSpan.FromSeconds(60),
                "the task goes on"
            );
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(300)), TimeProvider.System, TestContext.Current.CancellationToken);
            await worker.KillAsync();
            kills++;
        }

        await system.StartWorkerAsync(("HeavyTasks:MaxCrashes", "100"));
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);

        kills.ShouldBe(4);
        (await system.StepsWrittenAsync("a")).ShouldBe(Enumerable.Range(0, 120));
    }

    [Fact]
    public async Task A_worker_paused_past_its_lease_writes_nothing_when_it_wakes()
    {
        await using var system = await TestSystem.StartAsync();
        var paused = await system.StartWorkerAsync();
        var id = await system.SubmitStepsAsync("a", steps: 20, pauseMilliseconds: 200);
        await system.WaitForStepAsync("a", 2);
        paused.Pause();
        await system.StartWorkerAsync();

        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(90));
        paused.Resume();
        await paused.WaitForOutputAsync("ended without effect", TimeSpan.FromSeconds(30));

        (await system.StepsWrittenAsync("a")).ShouldBe(Enumerable.Range(0, 20));
        var task = await system.ReadAsync(id);
        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Attempt.ShouldBe(2);
        paused.HasExited.ShouldBeFalse();
    }

    [Fact]
    public async Task SIGTERM_gives_running_tasks_back_and_ends_cleanly()
    {
        await using var system = await TestSystem.StartAsync();
        var first = await system.StartWorkerAsync(("HeavyTasks:DrainTimeout", "00:00:01"));
        var id = await system.SubmitStepsAsync("a", steps: 60, pauseMilliseconds: 100);
        await system.WaitForStepAsync("a", 3);

        first.Terminate();
        await system.StartWorkerAsync();

        (await first.WaitForExitAsync(TimeSpan.FromSeconds(40))).ShouldBe(0);
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        (await system.StepsWrittenAsync("a")).ShouldBe(Enumerable.Range(0, 60));
        (await system.AttemptsAsync(id)).Select(a => a.Outcome).ShouldBe([AttemptOutcome.Released, AttemptOutcome.Succeeded]);
        (await system.ReadAsync(id)).Crashes.ShouldBe(0);
    }
}
