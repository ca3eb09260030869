using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>
/// Runs one claimed attempt to its outcome: the handler, its time limit, its completion, and the outcome if it does not complete.
/// </summary>
internal sealed partial class HeavyTaskRunner(
    IServiceProvider scope,
    EngineContext engine,
    OutboxPublishEndpoint outbox,
    TaskLifecycle lifecycle,
    ResultFiles resultFiles,
    RunningAttempts runningAttempts,
    HeavyTaskOutcomes outcomes,
    HeavyTaskSlots slots,
    HeavyTaskMetrics metrics,
    InstanceIdentity instance,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<HeavyTaskRunner> logger
)
{
    private readonly DbContext db = engine.Db;

    public async Task RunAsync(HandledKind kind, ClaimedHeavyTask task)
    {
        var fence = new HeavyTaskFence(task.Id, task.Attempt, instance.Id);
        var limits = options.Value.Of(kind.Name);
        using var running = runningAttempts.Add(fence, task, time.GetTimestamp());
        CurrentWork.Value = running;
        using var span = HeavyTaskTraces.StartAttempt(task);
        try
        {
            Started(logger, task.Id, kind.Name, task.Attempt);
            metrics.Claimed(task);
            running.StartFrom(new Progress(task.ProgressDone, null, null));
            var attempt = new AttemptContext(task, running, db, outbox, lifecycle, resultFiles, scope.GetService<IAttemptObserver>(), time);
            await using var timeLimit = time.CreateTimer(
                _ => running.Stop(StopReason.TimedOut),
                null,
                limits.RunTimeout,
                Timeout.InfiniteTimeSpan
            );
            CheckpointGate.Close(db);

            // The handler's synchronous part must not block the thread that dispatches to consumers.
            var work = Task.Run(() => HandleAsync(kind, attempt), CancellationToken.None);
            if (!await StopsInTimeAsync(work, running))
            {
                Stuck(logger, task.Id, kind.Name, running.Reason!.Value);
                metrics.Stuck(kind.Name, 1);
                slots.Stuck(kind.Name, 1);
                await outcomes.SettleAsync(task, running, error: null);
                running.MarkSettled();
                await work;
                metrics.Stuck(kind.Name, -1);
                slots.Stuck(kind.Name, -1);
                StuckReturned(logger, task.Id, kind.Name);
                return;
            }

            if (await work is { } error)
            {
                span?.Failed(error, running.Reason);
                await outcomes.SettleAsync(task, running, error);
            }
            else
            {
                metrics.Ended(kind.Name, AttemptOutcome.Succeeded, time.GetElapsedTime(running.StartedAt));
                Succeeded(logger, task.Id, kind.Name, task.Attempt);
            }
        }
        finally
        {
            running.MarkSettled();
            runningAttempts.Remove(running);
            CheckpointGate.Open(db);
            db.ChangeTracker.Clear();
        }
    }

    /// <summary>Runs the handler and the completion; returns what went wrong, or null.</summary>
    private async Task<Exception?> HandleAsync(HandledKind kind, AttemptContext attempt)
    {
        try
        {
            await kind.RunAsync(scope, attempt);
            await attempt.SucceedAsync(time.GetUtcNow().UtcDateTime, CancellationToken.None);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    private async Task<bool> StopsInTimeAsync(Task work, RunningAttempt running)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (running.Token.Register(() => stopped.TrySetResult()))
        {
            if (await Task.WhenAny(work, stopped.Task) == work)
            {
                return true;
            }
        }

        var grace = running.Reason == StopReason.Draining ? options.Value.DrainGrace : options.Value.StopGrace;
        using var cancelWait = new CancellationTokenSource();
        var first = await Task.WhenAny(work, Task.Delay(grace, time, cancelWait.Token));
        await cancelWait.CancelAsync();
        return first == work;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Task {TaskId} ({Kind}) started, attempt {Attempt}.")]
    private static partial void Started(ILogger logger, Guid taskId, string kind, int attempt);

    [LoggerMessage(Level = LogLevel.Information, Message = "Task {TaskId} ({Kind}) succeeded at attempt {Attempt}.")]
    private static partial void Succeeded(ILogger logger, Guid taskId, string kind, int attempt);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The handler of task {TaskId} ({Kind}) did not stop ({Reason}); the task is taken from it and its slot is stuck until it returns."
    )]
    private static partial void Stuck(ILogger logger, Guid taskId, string kind, StopReason reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The stuck handler of task {TaskId} ({Kind}) has returned; its slot is free again.")]
    private static partial void StuckReturned(ILogger logger, Guid taskId, string kind);
}
