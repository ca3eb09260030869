using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Writes the outcome of an attempt that did not succeed. It uses a context of its own, because the handler's context may be dirty, broken
/// or still in use. Every write is fenced, so nothing changes if the attempt's success was committed after all or its task was taken over.
/// </summary>
internal sealed partial class HeavyTaskOutcomes(
    IServiceScopeFactory scopes,
    HeavyTaskSlots slots,
    HeavyTaskMetrics metrics,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<HeavyTaskOutcomes> logger
)
{
    private static readonly TimeSpan MaxSettleRetryDelay = TimeSpan.FromSeconds(5);

    /// <param name="task">The attempt's task.</param>
    /// <param name="running">Tells whether and why the attempt was told to stop.</param>
    /// <param name="error">The exception of the handler or of the completion; null when the handler did not return.</param>
    public async Task SettleAsync(ClaimedHeavyTask task, RunningAttempt running, Exception? error)
    {
        if (error is HeavyTaskFenceException || running.Reason == StopReason.TakenAway)
        {
            metrics.TakenAway(task.Kind);
            TakenAway(logger, task.Id, task.Kind, running.Fence.Attempt);
            return;
        }

        // If the outcome is not written, the task stays Running under a live owner, and nobody takes it over. So try until it is written.
        var delay = TimeSpan.FromMilliseconds(100);
        while (true)
        {
            try
            {
                await WriteAsync(task, running, error);
                return;
            }
            catch (Exception exception) when (!slots.IsClosed || delay < MaxSettleRetryDelay)
            {
                NotWritten(logger, task.Id, exception);
                await Task.Delay(delay, time, CancellationToken.None);
                delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, MaxSettleRetryDelay.Ticks));
            }
        }
    }

    private async Task WriteAsync(ClaimedHeavyTask task, RunningAttempt running, Exception? error)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var lifecycle = scope.ServiceProvider.GetRequiredService<TaskLifecycle>();
        var fence = running.Fence;
        await using var transaction = await db.Database.BeginTransactionAsync();
        var (outcome, changed) = running.Reason switch
        {
            StopReason.CancelRequested => (
                AttemptOutcome.Cancelled,
                await lifecycle.CancelRunningAsync(fence, task.Kind, CancellationToken.None)
            ),
            StopReason.Draining => (
                AttemptOutcome.Released,
                await lifecycle.ReleaseAsync(fence, task.Kind, task.Crashes, why: null, CancellationToken.None)
            ),
            StopReason.TimedOut => (
                AttemptOutcome.TimedOut,
                await FailAsync(
                    lifecycle,
                    task,
                    fence,
                    AttemptOutcome.TimedOut,
                    new TimeoutException($"The attempt ran longer than the kind's RunTimeout of {options.Value.Of(task.Kind).RunTimeout}.")
                )
            ),
            _ => (AttemptOutcome.Failed, await FailAsync(lifecycle, task, fence, AttemptOutcome.Failed, error!)),
        };
        if (!changed)
        {
            metrics.TakenAway(task.Kind);
            TakenAway(logger, task.Id, task.Kind, running.Fence.Attempt);
            return;
        }

        await transaction.CommitAsync();
        metrics.Ended(task.Kind, outcome, time.GetElapsedTime(running.StartedAt));
        LogEnd(task, outcome, error);
    }

    // Messages may quote what a client sent. Where it was thrown helps nobody when the input is at fault, or when the attempt was told to stop.
    private void LogEnd(ClaimedHeavyTask task, AttemptOutcome outcome, Exception? error)
    {
        if (error is null || outcome != AttemptOutcome.Failed)
        {
            Ended(logger, task.Id, task.Kind, task.Attempt, outcome);
        }
        else
        {
            var text = error is NonRetryableException ? LoggedText.Of(error.Message) : LoggedText.Of(error);
            Broke(logger, task.Id, task.Kind, task.Attempt, outcome, text);
        }
    }

    private Task<bool> FailAsync(
        TaskLifecycle lifecycle,
        ClaimedHeavyTask task,
        HeavyTaskFence fence,
        AttemptOutcome outcome,
        Exception error
    )
    {
        var text = ErrorText(error);
        return RetryPolicy.DelayAfter(error, task.Failures + 1, task.MaxFailures, options.Value.Of(task.Kind), Random.Shared) is { } delay
            ? lifecycle.RetryLaterAsync(fence, task.Kind, outcome, delay, text, CancellationToken.None)
            : lifecycle.FailAsync(fence, task.Kind, outcome, text, CancellationToken.None);
    }

    private static string ErrorText(Exception error)
    {
        var messages = new List<string>();
        for (var current = error; current is not null; current = current.InnerException)
        {
            messages.Add(
                current is NonRetryableException or TimeoutException ? current.Message : $"{current.GetType().Name}: {current.Message}"
            );
        }

        return StorableText.Of(string.Join(" <- ", messages), HeavyTask.MaxErrorLength);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Attempt {Attempt} of task {TaskId} ({Kind}) ended without effect: the task no longer belongs to it."
    )]
    private static partial void TakenAway(ILogger logger, Guid taskId, string kind, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} of task {TaskId} ({Kind}) ended: {Outcome}.")]
    private static partial void Ended(ILogger logger, Guid taskId, string kind, int attempt, AttemptOutcome outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} of task {TaskId} ({Kind}) ended: {Outcome}. {Error}")]
    private static partial void Broke(ILogger logger, Guid taskId, string kind, int attempt, AttemptOutcome outcome, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of task {TaskId} could not be written; trying again.")]
    private static partial void NotWritten(ILogger logger, Guid taskId, Exception exception);
}
