using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks.Testing;

namespace Platform.HeavyTasks.Tests;

/// <summary>A task that kills its process must be found, and must not take those that ran beside it with it.</summary>
public sealed class CrashTests : WorkerTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_death_counts_against_the_task_whose_last_crash_it_is_and_not_against_its_neighbours()
    {
        var owner = await AddInstanceAsync(leaseSeconds: -1, holdsLock: false);
        var (guilty, neighbour) = (await ClaimForAsync(owner), await ClaimForAsync(owner));
        await SetCrashesAsync(2, guilty);
        await SetCrashesAsync(1, neighbour);
        var worker = await StartWorkerAsync();

        var failed = await worker.FinishedAsync(guilty);
        var succeeded = await worker.FinishedAsync(neighbour);

        (failed.Status, failed.Crashes).ShouldBe((HeavyTaskStatus.Failed, 3));
        failed.Error!.ShouldContain("crash 3 of 3");
        (succeeded.Status, succeeded.Crashes).ShouldBe((HeavyTaskStatus.Succeeded, 1));
        var attempt = (await AttemptsAsync(neighbour))[0];
        attempt.Outcome.ShouldBe(AttemptOutcome.Released);
        attempt.Error!.ShouldContain("held to blame");
    }

    [Fact]
    public async Task A_first_death_counts_against_all_that_ran()
    {
        var owner = await AddInstanceAsync(leaseSeconds: -1, holdsLock: false);
        Guid[] tasks = [await ClaimForAsync(owner), await ClaimForAsync(owner)];
        var worker = await StartWorkerAsync();

        foreach (var task in tasks)
        {
            (await worker.FinishedAsync(task)).Crashes.ShouldBe(1);
        }
    }

    [Fact]
    public async Task Tasks_with_one_crash_left_run_one_at_a_time_beside_others()
    {
        var owner = await AddInstanceAsync(leaseSeconds: -1, holdsLock: false);
        Guid[] suspects = [await ClaimForAsync(owner), await ClaimForAsync(owner)];
        await SetCrashesAsync(1, suspects);
        var ordinary = new TaskCompletionSource();
        var (running, most) = (0, 0);
        Script.Work = async (context, _) =>
        {
            if (!suspects.Contains(context.TaskId))
            {
                ordinary.TrySetResult();
                return;
            }

            most = Math.Max(most, Interlocked.Increment(ref running));
            await ordinary.Task.WaitAsync(Patience, context.CancellationToken);
            Interlocked.Decrement(ref running);
        };
        var worker = await StartWorkerAsync();
        await Support.Eventually.Async(() => Task.FromResult(Volatile.Read(ref running) > 0), Patience, "a suspect runs");

        var neighbour = await worker.RunAsync(new TestParameters());

        neighbour.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        foreach (var suspect in suspects)
        {
            var task = await worker.FinishedAsync(suspect);
            (task.Status, task.Crashes).ShouldBe((HeavyTaskStatus.Succeeded, 2));
            (await AttemptsAsync(suspect)).Count.ShouldBe(2);
        }

        most.ShouldBe(1);
        Script.Runs.ShouldBe(3);
    }

    private async Task SetCrashesAsync(int crashes, params Guid[] tasks)
    {
        await using var db = Database.CreateContext();
        await db
            .HeavyTasks.Where(t => tasks.Contains(t.Id))
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.Crashes, crashes), TestContext.Current.CancellationToken);
    }
}
