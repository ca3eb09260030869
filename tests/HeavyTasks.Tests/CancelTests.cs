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
