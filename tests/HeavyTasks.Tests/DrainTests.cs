using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class DrainTests : WorkerTest
{
    [Fact]
    public async Task A_task_that_finishes_within_the_drain_timeout_is_not_interrupted()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:DrainTimeout", "00:00:20"));
        var started = new TaskCompletionSource();
        Script.Work = async (context, _) =>
        {
            started.SetResult();
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, context.CancellationToken);
        };
        var id = await worker.SubmitAsync(new TestParameters());
        await started.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        await worker.StopAsync();

        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task A_longer_task_is_given_back_at_no_cost_and_goes_on_elsewhere()
    {
        var worker = await StartWorkerAsync();
        var started = new TaskCompletionSource();
        Script.Work = async (context, _) =>
        {
            await context.CheckpointAsync(new TestParameters("half done"));
            started.SetResult();
            await Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, context.CancellationToken);
        };
        var id = await worker.SubmitAsync(new TestParameters());
        await started.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        await worker.StopAsync();

        var released = await ReadAsync(id);
        released.Status.ShouldBe(HeavyTaskStatus.Queued);
        (released.Failures, released.Crashes).ShouldBe((0, 0));
        (await AttemptsAsync(id)).Single().Outcome.ShouldBe(AttemptOutcome.Released);

        string? found = null;
        Script.Work = (context, _) =>
        {
            found = context.GetCheckpoint<TestParameters>()?.Text;
            return Task.CompletedTask;
        };
        var next = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:00:01"));
        (await next.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        found.ShouldBe("half done");
    }

    [Fact]
    public async Task A_claim_under_way_is_waited_for_and_its_task_given_back()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) => Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, context.CancellationToken);
        var (id, holder) = await BlockClaimAsync(worker);

        var stopping = worker.StopAsync();

        // The claim is won while the drain is under way.
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, TestContext.Current.CancellationToken);
        await holder.DisposeAsync();
        await stopping;

        var task = await ReadAsync(id);
        (task.Status, task.Crashes).ShouldBe((HeavyTaskStatus.Queued, 0));
        (await AttemptsAsync(id)).Single().Outcome.ShouldBe(AttemptOutcome.Released);
    }

    [Fact]
    public async Task A_claim_that_fails_meanwhile_does_not_make_its_message_poison()
    {
        var worker = await StartWorkerAsync();
        var (id, holder) = await BlockClaimAsync(worker);
        await using var end = holder;

        var stopping = worker.StopAsync();
        await Database.EndConnectionsAsync("platform-tests");
        await stopping;

        (await Database.CountAsync("poison_messages")).ShouldBe(0);
        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    [Fact]
    public async Task A_handler_that_does_not_stop_does_not_keep_the_task()
    {
        var worker = await StartWorkerAsync();
        var started = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        Script.Work = async (_, _) =>
        {
            started.SetResult();
            await release.Task;
        };
        var id = await worker.SubmitAsync(new TestParameters());
        await started.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        var stopping = worker.StopAsync();
        await Eventually.Async(
            async () => (await ReadAsync(id)).Status == HeavyTaskStatus.Queued,
            TimeSpan.FromSeconds(20),
            "the task is given back"
        );

        release.SetResult();
        await stopping;
        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    /// <summary>Submits a task whose claim waits for a lock until the returned context is disposed.</summary>
    private async Task<(Guid Id, PlatformDbContext Holder)> BlockClaimAsync(HeavyTaskTestHarness worker)
    {
        var id = await InsertAsync();
        var holder = Database.CreateContext();
        await holder.Database.BeginTransactionAsync();
        await holder.HeavyTasks.Where(t => t.Id == id).ExecuteUpdateAsync(set => set.SetProperty(t => t.MaxFailures, 7));
        var queue = await worker.Bus.Bus.GetSendEndpoint(new Uri("queue:heavy-task.test.kind"));
        await queue.Send(new HeavyTaskRequested(id, "test.kind"));
        await Eventually.Async(async () => await Database.LockWaitsAsync() > 0, TimeSpan.FromSeconds(20), "the claim waits");
        return (id, holder);
    }
}
