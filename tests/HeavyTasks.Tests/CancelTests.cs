using Microsoft.EntityFrameworkCore;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class CancelTests : WorkerTest
{
    [Fact]
    public async Task A_running_task_stops_when_cancel_is_requested()
    {
        var worker = await StartWorkerAsync();
        var started = new TaskCompletionSource();
        Script.Work = (context, _) =>
        {
            started.SetResult();
            return Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, context.CancellationToken);
        };
        var id = await worker.SubmitAsync(new TestParameters());
        await started.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        (await ChangeAsync(worker, lifecycle => lifecycle.RequestCancelAsync(id, TestContext.Current.CancellationToken))).ShouldBeTrue();

        var task = await worker.FinishedAsync(id);
        task.Status.ShouldBe(HeavyTaskStatus.Cancelled);
        (await AttemptsAsync(id)).Single().Outcome.ShouldBe(AttemptOutcome.Cancelled);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task A_cancel_that_was_accepted_is_kept_when_the_handler_throws(int maxFailures)
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Interval", "00:00:10"));
        var started = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        Script.Work = async (_, _) =>
        {
            started.SetResult();
            await goOn.Task;
            throw new InvalidOperationException("broken");
        };
        var id = await worker.SubmitAsync(new TestParameters(), maxFailures);
        await started.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        (await ChangeAsync(worker, lifecycle => lifecycle.RequestCancelAsync(id, TestContext.Current.CancellationToken))).ShouldBeTrue();

        goOn.SetResult();

        var task = await worker.FinishedAsync(id);
        task.Status.ShouldBe(HeavyTaskStatus.Cancelled);
        task.Error!.ShouldContain("broken");
        (await AttemptsAsync(id)).Single().Outcome.ShouldBe(AttemptOutcome.Failed);
        Script.Runs.ShouldBe(1);
    }

    [Theory]
    [InlineData("release")]
    [InlineData("take over")]
    [InlineData("take over for the last time")]
    public async Task A_cancel_that_was_accepted_is_kept_when_the_task_leaves_its_worker(string how)
    {
        var other = await AddOtherWorkerAsync();
        var worker = await StartWorkerAsync();
        var id = await InsertAsync();
        await using (var db = Database.CreateContext())
        {
            (await Dialect.Current.ClaimAsync(db, id, other, "other:1", TestContext.Current.CancellationToken)).ShouldNotBeNull();
        }

        var fence = new HeavyTaskFence(id, 1, other);
        await ChangeAsync(worker, lifecycle => lifecycle.RequestCancelAsync(id, CancellationToken.None));

        (
            await ChangeAsync(
                worker,
                lifecycle =>
                    how switch
                    {
                        "release" => lifecycle.ReleaseAsync(fence, "test.kind", 0, null, CancellationToken.None),
                        "take over" => lifecycle.TakeOverAsync(fence, "test.kind", 0, "It died.", CancellationToken.None),
                        _ => lifecycle.FailCrashedAsync(fence, "test.kind", "It died.", "Three times.", CancellationToken.None),
                    }
            )
        ).ShouldBeTrue();

        (await worker.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        Script.Runs.ShouldBe(0);
    }

    [Fact]
    public async Task A_waiting_task_that_was_cancelled_never_runs()
    {
        var worker = await StartWorkerAsync();
        var id = await InsertAsync();
        (await ChangeAsync(worker, lifecycle => lifecycle.CancelWaitingAsync(id, TestContext.Current.CancellationToken))).ShouldBeTrue();

        await worker.Bus.Bus.Publish(new Contracts.HeavyTaskRequested(id, "test.kind"), TestContext.Current.CancellationToken);

        (await worker.Bus.Consumed.Any<Contracts.HeavyTaskRequested>(TestContext.Current.CancellationToken)).ShouldBeTrue();
        Script.Runs.ShouldBe(0);
        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
    }

    [Fact]
    public async Task A_finished_task_cannot_be_cancelled()
    {
        var worker = await StartWorkerAsync();
        var task = await worker.RunAsync(new TestParameters());

        (
            await ChangeAsync(worker, lifecycle => lifecycle.CancelWaitingAsync(task.Id, TestContext.Current.CancellationToken))
        ).ShouldBeFalse();
        (
            await ChangeAsync(worker, lifecycle => lifecycle.RequestCancelAsync(task.Id, TestContext.Current.CancellationToken))
        ).ShouldBeFalse();
    }
}
