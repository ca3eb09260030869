using Microsoft.EntityFrameworkCore;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class SchedulerTests : WorkerTest
{
    [Fact]
    public async Task A_task_for_later_runs_when_it_is_due_and_not_before()
    {
        var worker = await StartWorkerAsync();
        var dueAt = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(2);
        var id = await InsertAsync(dueAt: dueAt);

        var task = await worker.FinishedAsync(id);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.StartedAt!.Value.ShouldBeGreaterThan(dueAt);
    }

    [Fact]
    public async Task Tasks_whose_messages_never_came_all_run()
    {
        var ids = new List<Guid>();
        for (var i = 0; i < 25; i++)
        {
            ids.Add(await InsertAsync());
        }

        var worker = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:00:01"));

        await Eventually.Async(
            async () => await Database.CreateContext().HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Succeeded) == ids.Count,
            TimeSpan.FromSeconds(60),
            "every queued task runs"
        );
        Script.Runs.ShouldBe(ids.Count);
    }

    [Fact]
    public async Task A_task_that_was_overtaken_runs_although_its_kind_is_never_idle()
    {
        var lost = await InsertAsync();
        await using (var db = Database.CreateContext())
        {
            await db
                .HeavyTasks.Where(t => t.Id == lost)
                .ExecuteUpdateAsync(
                    set => set.SetProperty(t => t.QueuedAt, t => t.QueuedAt!.Value.AddMinutes(-5)),
                    TestContext.Current.CancellationToken
                );
        }

        var worker = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:10:00"));
        await worker.RunAsync(new TestParameters());

        (await worker.FinishedAsync(lost)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task Workers_that_look_for_lost_messages_at_once_publish_different_ones()
    {
        for (var i = 0; i < 6; i++)
        {
            await InsertAsync();
        }

        var later = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(1);
        await using var first = Database.CreateContext();
        await using var second = Database.CreateContext();
        await using var firstTransaction = await first.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var secondTransaction = await second.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);

        var ids = await first.LockQueuedBefore("test.kind", later, 2).Select(t => t.Id).ToListAsync(TestContext.Current.CancellationToken);
        var others = await second
            .LockQueuedBefore("test.kind", later, 2)
            .Select(t => t.Id)
            .ToListAsync(TestContext.Current.CancellationToken);

        (ids.Count, ids.Intersect(others).Count()).ShouldBe((2, 0));
        others.ShouldNotBeEmpty();
        (await first.LockQueuedBefore("test.kind", later.AddHours(-1), 2).CountAsync(TestContext.Current.CancellationToken)).ShouldBe(0);
    }

    [Fact]
    public async Task A_backlog_is_not_taken_for_a_loss()
    {
        var release = new TaskCompletionSource();
        Script.Work = (_, _) => release.Task;
        var worker = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:00:01"), ("HeavyTasks:Kinds:test.kind:Concurrency", "1"));
        await worker.SubmitAsync(new TestParameters());
        await Eventually.Async(() => Script.Runs == 1, TimeSpan.FromSeconds(20), "the only slot is taken");
        var queued = await InsertAsync();

        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, TestContext.Current.CancellationToken);

        (await Database.CountAsync("outbox_messages")).ShouldBe(0);
        (await ReadAsync(queued)).Status.ShouldBe(HeavyTaskStatus.Queued);
        release.SetResult();
    }

    [Fact]
    public async Task Tasks_of_an_owner_whose_lease_ended_run_again()
    {
        var id = await ClaimForAsync(await AddInstanceAsync(leaseSeconds: -1, holdsLock: false));
        var worker = await StartWorkerAsync();

        var task = await worker.FinishedAsync(id);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Attempt.ShouldBe(2);
        task.Crashes.ShouldBe(1);
        (await AttemptsAsync(id)).Select(a => a.Outcome).ShouldBe([AttemptOutcome.Crashed, AttemptOutcome.Succeeded]);
    }

    [Fact]
    public async Task Tasks_of_an_owner_whose_liveness_lock_is_free_run_again_long_before_its_lease_ends()
    {
        var id = await ClaimForAsync(await AddInstanceAsync(leaseSeconds: 3600, holdsLock: true));
        var worker = await StartWorkerAsync();

        (await worker.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task Tasks_of_an_owner_that_lives_by_its_lease_alone_are_left_to_it()
    {
        var id = await ClaimForAsync(await AddInstanceAsync(leaseSeconds: 3600, holdsLock: false));
        var worker = await StartWorkerAsync();

        // The scheduler has run many rounds when a task submitted now has run.
        await worker.RunAsync(new TestParameters());
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken);

        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Running);
    }

    [Fact]
    public async Task A_task_whose_owners_keep_dying_is_given_up()
    {
        var id = await ClaimForAsync(await AddInstanceAsync(leaseSeconds: -1, holdsLock: false));
        var worker = await StartWorkerAsync(("HeavyTasks:MaxCrashes", "1"));

        var task = await worker.FinishedAsync(id);

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error!.ShouldContain("crash 1 of 1");
        Script.Runs.ShouldBe(0);
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_goes_back_to_the_queue()
    {
        var worker = await StartWorkerAsync();
        var self = await Database.CreateContext().Instances.Select(i => i.Id).SingleAsync(TestContext.Current.CancellationToken);

        var id = await ClaimForAsync(self);

        var task = await worker.FinishedAsync(id);
        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Crashes.ShouldBe(0);
    }
}
