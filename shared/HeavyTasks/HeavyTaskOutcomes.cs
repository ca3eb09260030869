using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;
using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>
/// Writes the outcome of an attempt that did not succeed. Works on a context of its own, because the handler's may be dirty, broken or
/// still in use. Every write is fenced, so an attempt whose success was committed after all, or whose task was taken over, changes nothing.
/// </summary>
internal sealed partial class HeavyTaskOutcomes(
    IServiceScopeFactory scopes, HeavyTaskSlots slots, HeavyTaskMetrics metrics, IOptions<HeavyTaskOptions> options, TimeProvider time, ILogger<HeavyTaskOutcomes> logger)
{
    private static readonly TimeSpan MaxSettleRetryDelay = TimeSpan.FromSeconds(5);

    /// <param name="task">The attempt's task.</param>
    /// <param name="running">Tells whether and why it was told to stop.</param>
    /// <param name="error">What the handler or the completion threw; null when the handler did not return.</param>
    public async Task SettleAsync(ClaimedHeavyTask task, RunningTask running, Exception? error)
    {
        if (error is HeavyTaskFenceException || running.Reason == StopReason.TakenAway)
        {
            metrics.TakenAway(task.Kind);
            TakenAway(logger, task.Id, task.Kind, running.Fence.Attempt);
            return;
        }

        // An outcome that cannot be written leaves the task Running under a live owner, which nobody would take over: go on trying.
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

    private async Task WriteAsync(ClaimedHeavyTask task, RunningTask running, Exception? error)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        var outbox = scope.ServiceProvider.GetRequiredService<OutboxPublishEndpoint>();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var (changed, outcome, text) = running.Reason switch
        {
            StopReason.CancelRequested => (await CancelAsync(db, outbox, running), AttemptOutcome.Cancelled, null),
            StopReason.Draining => (await ReleaseAsync(db, outbox, running), AttemptOutcome.Released, null),
            StopReason.TimedOut => await FailAsync(db, outbox, task, running, AttemptOutcome.TimedOut,
                new TimeoutException($"The attempt ran longer than the kind's RunTimeout of {options.Value.Of(task.Kind).RunTimeout}.")),
            _ => await FailAsync(db, outbox, task, running, AttemptOutcome.Failed, error!),
        };
        if (changed == 0)
        {
            metrics.TakenAway(task.Kind);
            TakenAway(logger, task.Id, task.Kind, running.Fence.Attempt);
            return;
        }

        await db.HeavyTaskAttempts.EndAsync(task.Id, task.Attempt, outcome, text, CancellationToken.None);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
        metrics.Ended(task.Kind, outcome, time.GetElapsedTime(running.StartedAt));
        Ended(logger, task.Id, task.Kind, task.Attempt, outcome, error);
    }

    private static async Task<int> CancelAsync(PlatformDbContext db, OutboxPublishEndpoint outbox, RunningTask running)
    {
        var fence = running.Fence;
        await outbox.PublishAsync(new HeavyTaskCancelled(fence.TaskId, running.Kind, fence.Attempt), CancellationToken.None);
        return await db.HeavyTasks.CancelOwnedAsync(fence, CancellationToken.None);
    }

    private static async Task<int> ReleaseAsync(PlatformDbContext db, OutboxPublishEndpoint outbox, RunningTask running)
    {
        await outbox.PublishAsync(new HeavyTaskRequested(running.Fence.TaskId, running.Kind), CancellationToken.None);
        return await db.HeavyTasks.ReleaseAsync(running.Fence, CancellationToken.None);
    }

    private async Task<(int Changed, AttemptOutcome Outcome, string Text)> FailAsync(
        PlatformDbContext db, OutboxPublishEndpoint outbox, ClaimedHeavyTask task, RunningTask running, AttemptOutcome outcome, Exception error)
    {
        var fence = running.Fence;
        var text = ErrorText(error);
        var limits = options.Value.Of(task.Kind);
        if (error is NonRetryableException || task.Failures + 1 >= task.MaxAttempts)
        {
            await outbox.PublishAsync(new HeavyTaskFailed(fence.TaskId, task.Kind, fence.Attempt, text), CancellationToken.None);
            return (await db.HeavyTasks.FailAsync(fence, text, CancellationToken.None), outcome, text);
        }

        var delay = RetryDelay.Next(task.Failures + 1, limits.RetryDelay, limits.MaxRetryDelay, Random.Shared);
        return (await db.HeavyTasks.RetryLaterAsync(fence, delay, text, CancellationToken.None), outcome, text);
    }

    private static string ErrorText(Exception error)
    {
        var messages = new List<string>();
        for (var current = error; current is not null; current = current.InnerException)
        {
            messages.Add(current is NonRetryableException or TimeoutException ? current.Message : $"{current.GetType().Name}: {current.Message}");
        }

        return StorableText.Of(string.Join(" <- ", messages), HeavyTask.MaxErrorLength);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} of task {TaskId} ({Kind}) ended without effect: the task no longer belongs to it.")]
    private static partial void TakenAway(ILogger logger, Guid taskId, string kind, int attempt);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Attempt {Attempt} of task {TaskId} ({Kind}) ended: {Outcome}.")]
    private static partial void Ended(ILogger logger, Guid taskId, string kind, int attempt, AttemptOutcome outcome, Exception? error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of task {TaskId} could not be written; trying again.")]
    private static partial void NotWritten(ILogger logger, Guid taskId, Exception exception);
}
