using Microsoft.Extensions.DependencyInjection;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

/// <summary>The one place where a status changes.</summary>
public sealed class TaskLifecycleTests : WorkerTest
{
    public static TheoryData<string> Changes => new(All.Keys);

    // Changes of a task that runs, of one that waits, and of one that ended: none of them is allowed outside a transaction.
    private static Dictionary<string, Func<TaskLifecycle, HeavyTaskFence, Task<bool>>> All { get; } =
        new()
        {
            ["retry later"] = (lifecycle, fence) =>
                lifecycle.RetryLaterAsync(fence, "test.kind", AttemptOutcome.Failed, TimeSpan.FromMinutes(1), "error", default),
            ["fail"] = (lifecycle, fence) => lifecycle.FailAsync(fence, "test.kind", AttemptOutcome.Failed, "error", default),
            ["cancel running"] = (lifecycle, fence) => lifecycle.CancelRunningAsync(fence, "test.kind", default),
            ["release"] = (lifecycle, fence) => lifecycle.ReleaseAsync(fence, "test.kind", 0, null, default),
            ["take over"] = (lifecycle, fence) => lifecycle.TakeOverAsync(fence, "test.kind", 0, "why", default),
            ["fail crashed"] = (lifecycle, fence) => lifecycle.FailCrashedAsync(fence, "test.kind", "why", "error", default),
            ["cancel waiting"] = (lifecycle, fence) => lifecycle.CancelWaitingAsync(fence.TaskId, default),
            ["retry"] = (lifecycle, fence) => lifecycle.RetryAsync(fence.TaskId, default),
        };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_outside_a_transaction_is_refused_before_it_writes(string change)
    {
        var worker = await StartWorkerAsync();
        var fence = await ClaimedAsync();
        await using var scope = worker.Services.CreateAsyncScope();
        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();

        var refused = await Should.ThrowAsync<InvalidOperationException>(() => All[change](lifecycle, fence));

        refused.Message.ShouldContain("transaction");
        (await ReadAsync(fence.TaskId)).Status.ShouldBe(HeavyTaskStatus.Running);
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_from_another_status_or_by_another_owner_writes_nothing(string change)
    {
        var worker = await StartWorkerAsync();
        var fence = await ClaimedAsync();
        var others = fence with { Owner = Guid.NewGuid() };

        (await ChangeAsync(worker, lifecycle => All[change](lifecycle, others))).ShouldBeFalse();

        var task = await ReadAsync(fence.TaskId);
        (task.Status, task.Owner, task.Failures, task.Crashes).ShouldBe((HeavyTaskStatus.Running, fence.Owner, 0, 0));
        (await AttemptsAsync(fence.TaskId)).Single().Outcome.ShouldBeNull();
        (await Database.CountAsync("outbox_messages")).ShouldBe(0);
    }

    [Fact]
    public void Every_status_has_room_and_is_waiting_or_running_or_final()
    {
        foreach (var status in Enum.GetValues<HeavyTaskStatus>())
        {
            status.ToString().Length.ShouldBeLessThanOrEqualTo(HeavyTaskStatuses.MaxLength);
            new[] { HeavyTaskStatuses.Waiting.Contains(status), status == HeavyTaskStatus.Running, status.IsFinal() }
                .Count(said => said)
                .ShouldBe(1);
        }

        Enum.GetNames<AttemptOutcome>().Max(name => name.Length).ShouldBeLessThanOrEqualTo(HeavyTaskAttempt.MaxOutcomeLength);
    }

    private async Task<HeavyTaskFence> ClaimedAsync()
    {
        var id = await InsertAsync();
        await using var db = Database.CreateContext();
        var owner = await AddOtherWorkerAsync();
        var claimed = await Dialect.Current.ClaimAsync(db, id, owner, "another worker", TestContext.Current.CancellationToken);
        return new HeavyTaskFence(id, claimed!.Attempt, owner);
    }
}
