using MassTransit;
using MassTransit.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Platform.Contracts;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What happens to messages that this worker cannot run now, or not at all.</summary>
public sealed class SlotTests : WorkerTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task A_process_whose_slots_of_a_kind_are_all_stuck_is_not_alive()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "1"), ("HeavyTasks:StopGrace", "00:00:01"));
        var release = new TaskCompletionSource();
        Script.Work = (_, _) => release.Task;
        var stuck = await worker.SubmitAsync(new TestParameters());
        await Eventually.Async(() => Script.Runs == 1, Patience, "the only slot is taken");
        (await CheckAsync(worker)).ShouldBe(HealthStatus.Healthy);

        await ChangeAsync(worker, lifecycle => lifecycle.RequestCancelAsync(stuck, CancellationToken.None));

        (await worker.FinishedAsync(stuck)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        (await CheckAsync(worker)).ShouldBe(HealthStatus.Unhealthy);
        release.SetResult();
        await Eventually.Async(async () => await CheckAsync(worker) == HealthStatus.Healthy, Patience, "the handler has returned");
    }

    [Fact]
    public async Task A_message_that_finds_no_slot_goes_to_another_worker()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "1"));

        // As a task does whose channel was lost: its slot is taken, and the new channel delivers.
        var slot = await worker.Services.GetRequiredService<HeavyTaskSlots>().TakeAsync("test.kind", CancellationToken.None);
        var waiting = await worker.SubmitAsync(new TestParameters());

        // The harness has no other worker, so the message comes back here.
        (
            await worker.Bus.Consumed.Any<HeavyTaskRequested>(
                m => m.Context.Message.TaskId == waiting,
                TestContext.Current.CancellationToken
            )
        ).ShouldBeTrue();
        Script.Runs.ShouldBe(0);
        slot!.Dispose();
        (await worker.FinishedAsync(waiting)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task A_message_with_another_kind_than_its_task_does_not_choose_the_handler()
    {
        var worker = await StartWorkerAsync();
        await using var db = Database.CreateContext();
        var task = HeavyTask.Submit("other.kind", "{}", 1, TimeProvider.System.GetUtcNow().UtcDateTime);
        db.Add(task);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        await worker.Bus.Bus.Publish(new HeavyTaskRequested(task.Id, "test.kind"), TestContext.Current.CancellationToken);

        await Eventually.Async(
            async () => (await AttemptsAsync(task.Id)) is [{ Outcome: AttemptOutcome.Released }],
            Patience,
            "it is given back"
        );
        (await ReadAsync(task.Id)).Status.ShouldBe(HeavyTaskStatus.Queued);
        Script.Runs.ShouldBe(0);
    }

    [Theory]
    [InlineData("another kind")]
    [InlineData("no slot")]
    [InlineData("a suspect beside another")]
    public async Task What_cannot_be_written_about_a_message_now_is_written_later(string why)
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "1"));
        var slots = worker.Services.GetRequiredService<HeavyTaskSlots>();
        using var slot = why == "no slot" ? await slots.TakeAsync("test.kind", CancellationToken.None) : null;
        using var suspect = why.StartsWith("a suspect", StringComparison.Ordinal) ? slots.TryTakeSuspect() : null;
        await using var db = Database.CreateContext();
        var kind = why == "another kind" ? "other.kind" : "test.kind";
        var task = HeavyTask.Submit(kind, "{}", 1, TimeProvider.System.GetUtcNow().UtcDateTime);
        db.Add(task);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        var missing = suspect is null ? "outbox_messages" : "heavy_tasks";
        await Database.ScalarAsync($"ALTER TABLE {missing} RENAME TO missing_for_a_while");

        await worker.Bus.Bus.Publish(
            new HeavyTaskRequested(task.Id, "test.kind") { Crashes = suspect is null ? 0 : 2 },
            TestContext.Current.CancellationToken
        );

        await Eventually.Async(
            () => Log.Of("HeavyTaskConsumer", LogLevel.Warning).Any(e => e.Text.Contains("could not be written", StringComparison.Ordinal)),
            Patience,
            "it could not be written"
        );
        await Database.ScalarAsync($"ALTER TABLE missing_for_a_while RENAME TO {missing}");
        await Eventually.Async(
            async () =>
                why switch
                {
                    "another kind" => await AttemptsAsync(task.Id) is [{ Outcome: AttemptOutcome.Released }],
                    "no slot" => worker.Bus.Consumed.Select<HeavyTaskRequested>(CancellationToken.None).Any(),
                    _ => (await ReadAsync(task.Id)).Status == HeavyTaskStatus.Scheduled,
                },
            Patience,
            "it is written"
        );
        (await db.PoisonMessages.CountAsync(TestContext.Current.CancellationToken)).ShouldBe(0);
    }

    [Fact]
    public async Task Progress_of_a_task_whose_row_is_locked_keeps_no_other_waiting()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:Concurrency", "2"));
        var release = new TaskCompletionSource();
        Script.Work = async (context, _) =>
        {
            context.ReportProgress(1);
            await release.Task;
        };
        var locked = await worker.SubmitAsync(new TestParameters());
        var free = await worker.SubmitAsync(new TestParameters());
        await Eventually.Async(async () => (await ReadAsync(locked)).ProgressDone == 1, Patience, "both have run");
        await using var db = Database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await db.HeavyTasks.Where(t => t.Id == locked).ExecuteUpdateAsync(s => s.SetProperty(t => t.ProgressText, "locked"));
        foreach (var running in worker.Services.GetRequiredService<RunningAttempts>().All)
        {
            running.Report(new Progress(2, null, null));
        }

        await Eventually.Async(async () => (await ReadAsync(free)).ProgressDone == 2, TimeSpan.FromSeconds(10), "the other is written");

        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        await Eventually.Async(async () => (await ReadAsync(locked)).ProgressDone == 2, Patience, "this one follows");
        release.SetResult();
        await worker.FinishedAsync(locked);
        await worker.FinishedAsync(free);
    }

    [Fact]
    public async Task A_task_that_succeeds_after_a_failure_shows_no_error_and_its_attempt_does()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) => context.Attempt == 1 ? throw new InvalidOperationException("broken") : Task.CompletedTask;

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 2);

        task.Error.ShouldBeNull();
        (await AttemptsAsync(task.Id))[0].Error.ShouldBe("InvalidOperationException: broken");
    }

    private static async Task<HealthStatus> CheckAsync(Testing.HeavyTaskTestHarness worker) =>
        (await worker.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(check => check.Tags.Contains("live"))).Status;
}
