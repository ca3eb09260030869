using Microsoft.EntityFrameworkCore;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// The one place where the status of a task changes. The row, the record of the attempt and the message are written together, in the
/// caller's transaction, so that no task is Queued without its <see cref="HeavyTaskRequested"/> and none ends without its event.
/// A claim, which has no message, is <see cref="HeavyTaskClaim"/>.
/// </summary>
/// <remarks>
/// Each change is one conditional update. It answers false, and writes nothing, when the task is not (or no longer) in the status that the
/// change starts from. The message leaves when the caller commits.
/// </remarks>
internal sealed class TaskLifecycle(EngineContext engine, OutboxPublishEndpoint outbox)
{
    private readonly DbContext db = engine.Db;

    /// <summary>
    /// A new task, Queued or Scheduled. Only tracked: the row and its message are saved, or not, with the caller's next <c>SaveChanges</c>.
    /// </summary>
    public async Task SubmitAsync(HeavyTask task, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(task);
        db.Add(task);
        if (task.Status == HeavyTaskStatus.Queued)
        {
            await outbox.PublishAsync(new HeavyTaskRequested(task.Id, task.Kind), cancellationToken);
        }
    }

    /// <summary>Scheduled to Queued, for tasks that became due and that the caller has locked.</summary>
    public async Task QueueDueAsync(IReadOnlyCollection<HeavyTaskRequested> due, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(due);
        RequireTransaction();
        var ids = due.Select(task => task.TaskId).ToArray();
        await db
            .HeavyTasks.Where(t => ids.Contains(t.Id) && t.Status == HeavyTaskStatus.Scheduled)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                        .SetProperty(t => t.DueAt, (DateTime?)null)
                        .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow()),
                cancellationToken
            );
        await PublishAsync(due, cancellationToken);
    }

    /// <summary>Running to Succeeded, saved with everything else that the context tracks; begins and ends a transaction of its own.</summary>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt; nothing was saved.</exception>
    public async Task SucceedAsync(
        HeavyTaskFence fence,
        string kind,
        HeavyTaskSuccess success,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        await outbox.PublishAsync(new HeavyTaskSucceeded(fence.TaskId, kind, fence.Attempt), cancellationToken);
        await db.CompleteHeavyTaskAsync(fence, success, time, cancellationToken);
    }

    /// <summary>Running to Scheduled: the attempt failed, and the task is tried again after a delay.</summary>
    public async Task<bool> RetryLaterAsync(
        HeavyTaskFence fence,
        AttemptOutcome outcome,
        TimeSpan delay,
        string error,
        CancellationToken cancellationToken
    )
    {
        RequireTransaction();
        var seconds = delay.TotalSeconds;
        var changed = await db
            .HeavyTasks.Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Scheduled)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.Failures, t => t.Failures + 1)
                        .SetProperty(t => t.DueAt, _ => DatabaseClock.UtcNow().AddSeconds(seconds))
                        .SetProperty(t => t.Error, error),
                cancellationToken
            );
        return await EndAttemptAsync<HeavyTaskRequested>(changed, fence, outcome, error, message: null, cancellationToken);
    }

    /// <summary>Running to Failed: the attempt failed, and the task is given up.</summary>
    public async Task<bool> FailAsync(
        HeavyTaskFence fence,
        string kind,
        AttemptOutcome outcome,
        string error,
        CancellationToken cancellationToken
    )
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.Failures, t => t.Failures + 1)
                        .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(t => t.Error, error),
                cancellationToken
            );
        var failed = new HeavyTaskFailed(fence.TaskId, kind, fence.Attempt, error);
        return await EndAttemptAsync(changed, fence, outcome, error, failed, cancellationToken);
    }

    /// <summary>Running to Cancelled: its handler stopped on request.</summary>
    public async Task<bool> CancelRunningAsync(HeavyTaskFence fence, string kind, CancellationToken cancellationToken)
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow()),
                cancellationToken
            );
        var cancelled = new HeavyTaskCancelled(fence.TaskId, kind, fence.Attempt);
        return await EndAttemptAsync(changed, fence, AttemptOutcome.Cancelled, error: null, cancelled, cancellationToken);
    }

    /// <summary>Running to Queued at no cost: its worker drains, or does not run it after all.</summary>
    public async Task<bool> ReleaseAsync(HeavyTaskFence fence, string kind, CancellationToken cancellationToken)
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow()),
                cancellationToken
            );
        var requested = new HeavyTaskRequested(fence.TaskId, kind);
        return await EndAttemptAsync(changed, fence, AttemptOutcome.Released, error: null, requested, cancellationToken);
    }

    /// <summary>Running to Queued: the owner died.</summary>
    public async Task<bool> TakeOverAsync(HeavyTaskFence fence, string kind, string why, CancellationToken cancellationToken)
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.Crashes, t => t.Crashes + 1)
                        .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(t => t.Error, why),
                cancellationToken
            );
        var requested = new HeavyTaskRequested(fence.TaskId, kind);
        return await EndAttemptAsync(changed, fence, AttemptOutcome.Crashed, why, requested, cancellationToken);
    }

    /// <summary>Running to Failed: the owner died once too often.</summary>
    public async Task<bool> FailCrashedAsync(
        HeavyTaskFence fence,
        string kind,
        string why,
        string error,
        CancellationToken cancellationToken
    )
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Owned(fence)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.Crashes, t => t.Crashes + 1)
                        .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(t => t.Error, error),
                cancellationToken
            );
        var failed = new HeavyTaskFailed(fence.TaskId, kind, fence.Attempt, error);
        return await EndAttemptAsync(changed, fence, AttemptOutcome.Crashed, why, failed, cancellationToken);
    }

    /// <summary>Scheduled or Queued to Cancelled: it never runs.</summary>
    public async Task<bool> CancelWaitingAsync(Guid id, CancellationToken cancellationToken)
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Where(t => t.Id == id && HeavyTaskStatuses.Waiting.Contains(t.Status))
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled)
                        .SetProperty(t => t.DueAt, (DateTime?)null)
                        .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow()),
                cancellationToken
            );
        if (changed == 0)
        {
            return false;
        }

        var task = await db.HeavyTasks.Where(t => t.Id == id).Select(t => new { t.Kind, t.Attempt }).SingleAsync(cancellationToken);
        await PublishAsync([new HeavyTaskCancelled(id, task.Kind, task.Attempt)], cancellationToken);
        return true;
    }

    /// <summary>Asks the worker of a Running task to stop it. The status does not change before its handler has stopped.</summary>
    public async Task<bool> RequestCancelAsync(Guid id, CancellationToken cancellationToken) =>
        await db
            .HeavyTasks.Where(t => t.Id == id && t.Status == HeavyTaskStatus.Running)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.CancelRequested, true), cancellationToken) == 1;

    /// <summary>
    /// Failed or Cancelled to Queued, by hand. Failures and crashes start from zero; the attempt goes on rising, and the last
    /// checkpoint is kept, so the task goes on where it stopped.
    /// </summary>
    public async Task<bool> RetryAsync(Guid id, CancellationToken cancellationToken)
    {
        RequireTransaction();
        var changed = await db
            .HeavyTasks.Where(t => t.Id == id && HeavyTaskStatuses.Retryable.Contains(t.Status))
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                        .SetProperty(t => t.Failures, 0)
                        .SetProperty(t => t.Crashes, 0)
                        .SetProperty(t => t.CancelRequested, false)
                        .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(t => t.FinishedAt, (DateTime?)null)
                        .SetProperty(t => t.Error, (string?)null),
                cancellationToken
            );
        if (changed == 0)
        {
            return false;
        }

        var kind = await db.HeavyTasks.Where(t => t.Id == id).Select(t => t.Kind).SingleAsync(cancellationToken);
        await PublishAsync([new HeavyTaskRequested(id, kind)], cancellationToken);
        return true;
    }

    /// <summary>Publishes again for tasks that are Queued already: their messages vanished. Needs no transaction.</summary>
    public Task PublishAgainAsync(IReadOnlyCollection<HeavyTaskRequested> queued, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(queued);
        return PublishAsync(queued, cancellationToken);
    }

    private async Task<bool> EndAttemptAsync<TMessage>(
        int changed,
        HeavyTaskFence fence,
        AttemptOutcome outcome,
        string? error,
        TMessage? message,
        CancellationToken cancellationToken
    )
        where TMessage : class
    {
        if (changed == 0)
        {
            return false;
        }

        await db
            .HeavyTaskAttempts.Where(a => a.TaskId == fence.TaskId && a.Attempt == fence.Attempt && a.Outcome == null)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(a => a.Outcome, outcome)
                        .SetProperty(a => a.EndedAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(a => a.Error, error),
                cancellationToken
            );
        if (message is not null)
        {
            await PublishAsync([message], cancellationToken);
        }

        return true;
    }

    private async Task PublishAsync<TMessage>(IReadOnlyCollection<TMessage> messages, CancellationToken cancellationToken)
        where TMessage : class
    {
        foreach (var message in messages)
        {
            await outbox.PublishAsync(message, cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
    }

    private void RequireTransaction()
    {
        if (db.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException("The status of a task changes in a transaction, together with its message: begin one.");
        }
    }
}
