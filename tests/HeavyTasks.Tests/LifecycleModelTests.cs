using CsCheck;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

/// <summary>
/// Random sequences of everything that can happen to a task, by two owners and a client, against a model of it; and the same at once. Whatever
/// the order: no attempt that lost its task changes anything, nothing is committed twice, and no task is lost.
/// </summary>
public sealed class LifecycleModelTests : WorkerTest
{
    private const string Kind = "model.kind";
    private const int MaxSteps = 25;

    private static readonly Guid[] Owners = [Guid.CreateVersion7(), Guid.CreateVersion7()];

    private enum Step
    {
        Claim,
        Checkpoint,
        Complete,
        RetryLater,
        Fail,
        Release,
        TakeOver,
        FailCrashed,
        CancelRunning,
        RequestCancel,
        CancelWaiting,
        Retry,
        BecomeDue,
        Postpone,
    }

    // An attempt that is not the last one is chosen half of the time: it must fail.
    private static readonly Gen<(Step Step, int Owner, int Back)[]> Sequences = Gen.Select(
        Gen.Frequency((4, Gen.Const(Step.Claim)), (2, Gen.Const(Step.Retry)), (2, Gen.Const(Step.BecomeDue)), (10, Gen.Enum<Step>())),
        Gen.Int[0, 1],
        Gen.Frequency((3, Gen.Const(0)), (1, Gen.Int[0, 3]))
    ).Array[1, MaxSteps];

    [Fact]
    public async Task Every_sequence_of_changes_does_what_the_model_says()
    {
        var worker = await StartModelWorkerAsync();

        await Sequences.SampleAsync(
            async steps =>
            {
                var model = new Model();
                var id = await AddTaskAsync();
                foreach (var (step, owner, back) in steps)
                {
                    var fence = model.FenceOf(id, owner, back);
                    var expected = model.Apply(step, owner, fence);
                    (await RunAsync(worker, step, id, Owners[owner], fence)).ShouldBe(expected, $"{step} of {string.Join(", ", steps)}");
                    await CompareAsync(id, model);
                }
            },
            iter: 40,
            threads: 1
        );
    }

    [Fact]
    public async Task Changes_at_the_same_time_leave_one_consistent_task()
    {
        var worker = await StartModelWorkerAsync();

        await Sequences.SampleAsync(
            async steps =>
            {
                var id = await AddTaskAsync();
                var completed = 0;
                foreach (var together in steps.Chunk(5))
                {
                    var attempt = (await ReadAsync(id)).Attempt;
                    await Task.WhenAll(
                        together.Select(async one =>
                        {
                            var owner = Owners[one.Owner];
                            // Changes that collide may deadlock. Whoever changes a task does what the server undid again.
                            var done = await Deadlocks.RetryAsync(
                                () => RunAsync(worker, one.Step, id, owner, new HeavyTaskFence(id, attempt, owner)),
                                TimeProvider.System,
                                TestContext.Current.CancellationToken
                            );
                            if (done && one.Step == Step.Complete)
                            {
                                Interlocked.Increment(ref completed);
                            }
                        })
                    );
                }

                await CheckAsync(id, completed);
            },
            iter: 40,
            threads: 1
        );
    }

    private Task<HeavyTaskTestHarness> StartModelWorkerAsync()
    {
        // The owners have no rows; here nobody judges them.
        Liveness = new LivenessTimes { NoRow = TimeSpan.FromHours(1) };
        return StartWorkerAsync();
    }

    private async Task<Guid> AddTaskAsync()
    {
        await using var db = Database.CreateContext();
        var task = HeavyTask.Submit(Kind, "{}", 5, TimeProvider.System.GetUtcNow().UtcDateTime);
        db.Add(task);
        await db.SaveChangesAsync();
        return task.Id;
    }

    private static async Task<bool> RunAsync(HeavyTaskTestHarness worker, Step step, Guid id, Guid owner, HeavyTaskFence fence)
    {
        switch (step)
        {
            case Step.Claim:
                await using (var scope = worker.Services.CreateAsyncScope())
                {
                    return await Dialect.Current.ClaimAsync(
                        scope.ServiceProvider.GetRequiredService<PlatformDbContext>(),
                        id,
                        owner,
                        "model:1",
                        CancellationToken.None
                    )
                        is not null;
                }

            case Step.Complete:
                return await CompleteAsync(worker, fence);
            case Step.Checkpoint:
                await using (var scope = worker.Services.CreateAsyncScope())
                {
                    var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
                    return await db.HeavyTasks.CheckpointAsync(fence, "{}", 1, null, null, CancellationToken.None) == 1;
                }

            default:
                return await ChangeAsync(worker, lifecycle => ChangeAsync(worker, lifecycle, step, id, fence));
        }
    }

    private static Task<bool> ChangeAsync(HeavyTaskTestHarness worker, TaskLifecycle lifecycle, Step step, Guid id, HeavyTaskFence fence) =>
        step switch
        {
            Step.RetryLater => lifecycle.RetryLaterAsync(fence, Kind, AttemptOutcome.Failed, TimeSpan.FromHours(1), "error", default),
            Step.Fail => lifecycle.FailAsync(fence, Kind, AttemptOutcome.Failed, "error", default),
            Step.Release => lifecycle.ReleaseAsync(fence, Kind, 0, null, default),
            Step.TakeOver => lifecycle.TakeOverAsync(fence, Kind, 0, "dead", default),
            Step.FailCrashed => lifecycle.FailCrashedAsync(fence, Kind, "dead", "dead too often", default),
            Step.CancelRunning => lifecycle.CancelRunningAsync(fence, Kind, default),
            Step.RequestCancel => lifecycle.RequestCancelAsync(id, default),
            Step.CancelWaiting => lifecycle.CancelWaitingAsync(id, default),
            Step.Retry => lifecycle.RetryAsync(id, default),
            Step.Postpone => lifecycle.PostponeAsync(id, TimeSpan.FromHours(1), default),
            _ => BecomeDueAsync(worker, id),
        };

    // In a transaction of its own, so that the scheduler of the harness does not see the task as due before.
    private static async Task<bool> BecomeDueAsync(HeavyTaskTestHarness worker, Guid id)
    {
        await using var scope = worker.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var longAgo = TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-1);
        var due = await db
            .HeavyTasks.Where(t => t.Id == id && t.Status == HeavyTaskStatus.Scheduled)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.DueAt, longAgo));
        await scope.ServiceProvider.GetRequiredService<TaskLifecycle>().QueueDueAsync([new HeavyTaskRequested(id, Kind)], default);
        await transaction.CommitAsync();
        return due == 1;
    }

    private static async Task<bool> CompleteAsync(HeavyTaskTestHarness worker, HeavyTaskFence fence)
    {
        await using var scope = worker.Services.CreateAsyncScope();
        scope
            .ServiceProvider.GetRequiredService<PlatformDbContext>()
            .Add(new User { ExternalId = Guid.NewGuid().ToString(), Name = $"{fence.TaskId}" });
        try
        {
            await scope
                .ServiceProvider.GetRequiredService<TaskLifecycle>()
                .SucceedAsync(
                    fence,
                    Kind,
                    new HeavyTaskSuccess(TimeProvider.System.GetUtcNow().UtcDateTime, null, null, 1, 1, null),
                    TimeProvider.System,
                    default
                );
            return true;
        }
        catch (HeavyTaskFenceException)
        {
            return false;
        }
    }

    private async Task CompareAsync(Guid id, Model model)
    {
        var task = await ReadAsync(id);
        (task.Status, task.Attempt, task.Owner, task.Failures, task.Crashes, task.CancelRequested).ShouldBe(
            (model.Status, model.Attempt, model.Owner, model.Failures, model.Crashes, model.CancelRequested)
        );
        await CheckAsync(id, model.Completed);
    }

    private async Task CheckAsync(Guid id, int completed)
    {
        await using var db = Database.CreateContext();
        var task = await ReadAsync(id);
        var attempts = await AttemptsAsync(id);
        attempts.Select(a => a.Attempt).ShouldBe(Enumerable.Range(1, task.Attempt));
        attempts.Count(a => a.Outcome is null).ShouldBe(task.Status == HeavyTaskStatus.Running ? 1 : 0);
        attempts.Count(a => a.Outcome == AttemptOutcome.Succeeded).ShouldBe(completed);
        completed.ShouldBeLessThanOrEqualTo(1);
        (await db.Users.CountAsync(u => u.Name == $"{id}")).ShouldBe(completed);
        (task.Owner is not null).ShouldBe(task.Status == HeavyTaskStatus.Running);
        (task.FinishedAt is not null).ShouldBe(task.Status.IsFinal());
        if (completed == 1)
        {
            task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        }
    }

    /// <summary>The task as it should be.</summary>
    private sealed class Model
    {
        private readonly List<(int Attempt, Guid Owner)> claims = [];

        public HeavyTaskStatus Status { get; private set; } = HeavyTaskStatus.Queued;

        public int Attempt { get; private set; }

        public Guid? Owner { get; private set; }

        public int Failures { get; private set; }

        public int Crashes { get; private set; }

        public bool CancelRequested { get; private set; }

        public int Completed { get; private set; }

        /// <summary>The fence of the last claim, or of one before it; of an attempt that never was when there is none.</summary>
        public HeavyTaskFence FenceOf(Guid id, int owner, int back) =>
            claims.Count > back
                ? new HeavyTaskFence(id, claims[^(back + 1)].Attempt, claims[^(back + 1)].Owner)
                : new HeavyTaskFence(id, 99, Owners[owner]);

        public bool Apply(Step step, int owner, HeavyTaskFence fence)
        {
            var holds = Status == HeavyTaskStatus.Running && fence.Attempt == Attempt && fence.Owner == Owner;
            switch (step)
            {
                case Step.Claim when Status == HeavyTaskStatus.Queued:
                    (Status, Owner) = (HeavyTaskStatus.Running, Owners[owner]);
                    claims.Add((++Attempt, Owners[owner]));
                    return true;
                case Step.Checkpoint:
                    return holds;
                case Step.Complete when holds:
                    Completed++;
                    return Leave(HeavyTaskStatus.Succeeded);
                case Step.RetryLater when holds:
                    Failures++;
                    return Leave(CancelRequested ? HeavyTaskStatus.Cancelled : HeavyTaskStatus.Scheduled);
                case Step.Fail when holds:
                    Failures++;
                    return Leave(CancelRequested ? HeavyTaskStatus.Cancelled : HeavyTaskStatus.Failed);
                case Step.Release when holds:
                    return Leave(CancelRequested ? HeavyTaskStatus.Cancelled : HeavyTaskStatus.Queued);
                case Step.TakeOver when holds:
                    Crashes++;
                    return Leave(CancelRequested ? HeavyTaskStatus.Cancelled : HeavyTaskStatus.Queued);
                case Step.FailCrashed when holds:
                    Crashes++;
                    return Leave(CancelRequested ? HeavyTaskStatus.Cancelled : HeavyTaskStatus.Failed);
                case Step.CancelRunning when holds:
                    return Leave(HeavyTaskStatus.Cancelled);
                case Step.RequestCancel when Status == HeavyTaskStatus.Running:
                    return CancelRequested = true;
                case Step.CancelWaiting when Status is HeavyTaskStatus.Queued or HeavyTaskStatus.Scheduled:
                    return Leave(HeavyTaskStatus.Cancelled);
                case Step.Retry when Status is HeavyTaskStatus.Failed or HeavyTaskStatus.Cancelled:
                    (Failures, Crashes, CancelRequested) = (0, 0, false);
                    return Leave(HeavyTaskStatus.Queued);
                case Step.Postpone when Status == HeavyTaskStatus.Queued:
                    return Leave(HeavyTaskStatus.Scheduled);
                case Step.BecomeDue when Status == HeavyTaskStatus.Scheduled:
                    return Leave(HeavyTaskStatus.Queued);
                default:
                    return false;
            }
        }

        private bool Leave(HeavyTaskStatus status)
        {
            (Status, Owner) = (status, null);
            return true;
        }
    }
}
