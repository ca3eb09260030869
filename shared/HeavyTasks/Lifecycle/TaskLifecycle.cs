using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// The only place where the status of a task changes. Each change writes the row, the record of the attempt and the message together, in
/// the caller's transaction, so that no task is Queued without its <see cref="HeavyTaskRequested"/> and none ends without its event. The
/// only exception is the claim, which has no message: <see cref="IDialect.ClaimAsync(DbContext, Guid, Guid, string, CancellationToken)"/>.
/// </summary>
/// <remarks>
/// Each change is one conditional update. It returns false and writes nothing when the task is not (or no longer) in the status that the
/// change starts from. The message is sent when the caller commits.
/// </remarks>
internal sealed class TaskLifecycle(EngineContext engine, OutboxPublishEndpoint outbox)
{
    private readonly DbContext db = engine.Db;

    /// <summary>
    /// Adds a new task, Queued or Scheduled. The task is only tracked: the caller's next <c>SaveChanges</c> saves both its row and its
    /// message, or neither.
    /// </summary>
    public async Task SubmitAsync(HeavyTask task, CancellationToken cancellationToken) =>
        await SubmitAsync(task, await db.FindNeededFilesAsync([task], cancellationToken), cancellationToken);

    /// <summary>Does the same with files that were looked for before (<see cref="NeededFiles"/>).</summary>
    public async Task SubmitAsync(HeavyTask task, Dictionary<Guid, string> files, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(task);
        db.Add(task);
        db.AddRange(
            task.NewTags.Select(tag => new HeavyTaskTag
            {
                TaskId = task.Id,
                Tag = tag,
                TenantTag = HeavyTaskTag.TenantTagOf(task.TenantId, tag),
            })
        );
        db.KeepFiles(task, files);
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

    /// <summary>Queued to Scheduled: the task cannot run yet, and its message is spent. Needs no transaction.</summary>
    public async Task<bool> PostponeAsync(Guid id, TimeSpan delay, CancellationToken cancellationToken)
    {
        var seconds = delay.TotalSeconds;
        return await db
                .HeavyTasks.Where(t => t.Id == id && t.Status == HeavyTaskStatus.Queued)
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Scheduled)
                            .SetProperty(t => t.DueAt, _ => DatabaseClock.UtcNow().AddSeconds(seconds)),
                    cancellationToken
                ) == 1;
    }

    /// <summary>
    /// Running to Succeeded, saved with everything else that the context tracks; begins and ends a transaction of its own.
    /// </summary>
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
        await Dialect.Current.CompleteAsync(db, fence, success, time, cancellationToken);
    }

    /// <summary>
    /// Running to Scheduled: the attempt failed, and the task is tried again after a delay. To Cancelled, if that was asked for meanwhile.
    /// </summary>
    public Task<bool> RetryLaterAsync(
        HeavyTaskFence fence,
        string kind,
        AttemptOutcome outcome,
        TimeSpan delay,
        string error,
        CancellationToken cancellationToken
    )
    {
        var seconds = delay.TotalSeconds;
        return LeaveAsync<HeavyTaskRequested>(
            fence,
            kind,
            outcome,
            error,
            tasks =>
                tasks.ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Scheduled)
                            .SetProperty(t => t.Owner, (Guid?)null)
                            .SetProperty(t => t.Failures, t => t.Failures + 1)
                            .SetProperty(t => t.DueAt, _ => DatabaseClock.UtcNow().AddSeconds(seconds))
                            .SetProperty(t => t.Error, error),
                    cancellationToken
                ),
            message: null,
            cancellationToken
        );
    }

    /// <summary>
    /// Running to Failed: the attempt failed, and the task is given up. To Cancelled, if that was asked for meanwhile.
    /// </summary>
    public Task<bool> FailAsync(
        HeavyTaskFence fence,
        string kind,
        AttemptOutcome outcome,
        string error,
        CancellationToken cancellationToken
    ) =>
        LeaveAsync(
            fence,
            kind,
            outcome,
            error,
            tasks =>
                tasks.ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                            .SetProperty(t => t.Owner, (Guid?)null)
                            .SetProperty(t => t.Failures, t => t.Failures + 1)
                            .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                            .SetProperty(t => t.Error, error),
                    cancellationToken
                ),
            new HeavyTaskFailed(fence.TaskId, kind, fence.Attempt, error),
            cancellationToken
        );

    /// <summary>Running to Cancelled: the handler stopped on request.</summary>
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

    /// <summary>
    /// Running to Queued, without counting a failure or crash: the worker drains, does not run the task after all, or died of another task. To
    /// Cancelled, if that was asked for meanwhile.
    /// </summary>
    /// <param name="fence">The attempt.</param>
    /// <param name="kind">The task's kind.</param>
    /// <param name="crashes">The task's crashes so far.</param>
    /// <param name="why">What the attempt says; null when there is nothing to say.</param>
    /// <param name="cancellationToken">Cancels the change.</param>
    public Task<bool> ReleaseAsync(HeavyTaskFence fence, string kind, int crashes, string? why, CancellationToken cancellationToken) =>
        LeaveAsync(
            fence,
            kind,
            AttemptOutcome.Released,
            why,
            tasks =>
                tasks.ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                            .SetProperty(t => t.Owner, (Guid?)null)
                            .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow()),
                    cancellationToken
                ),
            new HeavyTaskRequested(fence.TaskId, kind) { Crashes = crashes },
            cancellationToken
        );

    /// <summary>Running to Queued: the owner died. To Cancelled, if that was asked for before.</summary>
    /// <param name="fence">The attempt.</param>
    /// <param name="kind">The task's kind.</param>
    /// <param name="crashes">The task's crashes before this one.</param>
    /// <param name="why">What the task and the attempt say.</param>
    /// <param name="cancellationToken">Cancels the change.</param>
    public Task<bool> TakeOverAsync(HeavyTaskFence fence, string kind, int crashes, string why, CancellationToken cancellationToken) =>
        LeaveAsync(
            fence,
            kind,
            AttemptOutcome.Crashed,
            why,
            tasks =>
                tasks.ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                            .SetProperty(t => t.Owner, (Guid?)null)
                            .SetProperty(t => t.Crashes, t => t.Crashes + 1)
                            .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow())
                            .SetProperty(t => t.Error, why),
                    cancellationToken
                ),
            new HeavyTaskRequested(fence.TaskId, kind) { Crashes = crashes + 1 },
            cancellationToken
        );

    /// <summary>
    /// Running to Failed: the owner died, and this was the last crash allowed. To Cancelled, if that was asked for before.
    /// </summary>
    public Task<bool> FailCrashedAsync(HeavyTaskFence fence, string kind, string why, string error, CancellationToken cancellationToken) =>
        LeaveAsync(
            fence,
            kind,
            AttemptOutcome.Crashed,
            why,
            tasks =>
                tasks.ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                            .SetProperty(t => t.Owner, (Guid?)null)
                            .SetProperty(t => t.Crashes, t => t.Crashes + 1)
                            .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                            .SetProperty(t => t.Error, error),
                    cancellationToken
                ),
            new HeavyTaskFailed(fence.TaskId, kind, fence.Attempt, error),
            cancellationToken
        );

    /// <summary>Scheduled or Queued to Cancelled: the task never runs.</summary>
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

    /// <summary>
    /// Scheduled or Queued to Cancelled, for tasks of a kind that were submitted before a moment; skips those that are being claimed.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="before">The tasks' ids are lower.</param>
    /// <param name="limit">The most tasks.</param>
    /// <param name="cancellationToken">Cancels the change.</param>
    /// <returns>How many there were.</returns>
    public async Task<int> CancelWaitingAsync(string kind, Guid before, int limit, CancellationToken cancellationToken)
    {
        RequireTransaction();
        var cancelled = new List<HeavyTaskCancelled>();
        foreach (var status in HeavyTaskStatuses.Waiting)
        {
            cancelled.AddRange(
                await db.LockWaiting(kind, status, before, limit - cancelled.Count)
                    .AsNoTracking()
                    .Select(t => new HeavyTaskCancelled(t.Id, t.Kind, t.Attempt))
                    .ToListAsync(cancellationToken)
            );
        }

        if (cancelled.Count > 0)
        {
            var ids = cancelled.Select(task => task.TaskId).ToArray();
            await db
                .HeavyTasks.Where(t => ids.Contains(t.Id) && HeavyTaskStatuses.Waiting.Contains(t.Status))
                .ExecuteUpdateAsync(
                    set =>
                        set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled)
                            .SetProperty(t => t.DueAt, (DateTime?)null)
                            .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow()),
                    cancellationToken
                );
            await PublishAsync(cancelled, cancellationToken);
        }

        return cancelled.Count;
    }

    /// <summary>Asks the worker of a Running task to stop it. The status changes only when the handler has stopped.</summary>
    public async Task<bool> RequestCancelAsync(Guid id, CancellationToken cancellationToken) =>
        await db
            .HeavyTasks.Where(t => t.Id == id && t.Status == HeavyTaskStatus.Running)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.CancelRequested, true), cancellationToken) == 1;

    /// <summary>
    /// Failed or Cancelled to Queued, on request. Failures and crashes start from zero. The attempt number keeps rising, and the last
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

    /// <summary>Publishes the message of a task again that is Queued already. Needs no transaction.</summary>
    public Task PublishAgainAsync(HeavyTaskRequested queued, CancellationToken cancellationToken) =>
        PublishAsync([queued], cancellationToken);

    /// <summary>
    /// Publishes messages again for tasks that are Queued already and that the caller has locked, because their messages vanished. They count
    /// as queued now, so that nobody finds them again before these messages had their time.
    /// </summary>
    public async Task QueueAgainAsync(IReadOnlyCollection<HeavyTaskRequested> vanished, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(vanished);
        RequireTransaction();
        var ids = vanished.Select(task => task.TaskId).ToArray();
        await db
            .HeavyTasks.Where(t => ids.Contains(t.Id) && t.Status == HeavyTaskStatus.Queued)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow()), cancellationToken);
        await PublishAsync(vanished, cancellationToken);
    }

    // However an attempt ends without success, a cancel that was accepted while it ran is kept: the task must not run again. The error stays
    // visible, and the attempt keeps its own outcome.
    private async Task<bool> LeaveAsync<TMessage>(
        HeavyTaskFence fence,
        string kind,
        AttemptOutcome outcome,
        string? error,
        Func<IQueryable<HeavyTask>, Task<int>> change,
        TMessage? message,
        CancellationToken cancellationToken
    )
        where TMessage : class
    {
        RequireTransaction();
        var owned = db.HeavyTasks.Owned(fence);
        if (await change(owned.Where(t => !t.CancelRequested)) is > 0 and var changed)
        {
            return await EndAttemptAsync(changed, fence, outcome, error, message, cancellationToken);
        }

        var (failures, crashes) = (
            outcome is AttemptOutcome.Failed or AttemptOutcome.TimedOut ? 1 : 0,
            outcome is AttemptOutcome.Crashed ? 1 : 0
        );
        var cancelled = await owned
            .Where(t => t.CancelRequested)
            .ExecuteUpdateAsync(
                set =>
                    set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled)
                        .SetProperty(t => t.Owner, (Guid?)null)
                        .SetProperty(t => t.Failures, t => t.Failures + failures)
                        .SetProperty(t => t.Crashes, t => t.Crashes + crashes)
                        .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                        .SetProperty(t => t.Error, t => error ?? t.Error),
                cancellationToken
            );
        return await EndAttemptAsync(
            cancelled,
            fence,
            outcome,
            error,
            new HeavyTaskCancelled(fence.TaskId, kind, fence.Attempt),
            cancellationToken
        );
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

/// <summary>What a successful attempt writes to its task.</summary>
/// <param name="FinishedAt">When the attempt ended (UTC).</param>
/// <param name="Result">The result as JSON.</param>
/// <param name="ResultFileId">The result file.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, if the handler knows.</param>
/// <param name="Text">The handler's last progress text, for people.</param>
internal sealed record HeavyTaskSuccess(DateTime FinishedAt, string? Result, Guid? ResultFileId, long Done, long? Total, string? Text);

/// <summary>
/// Publishes through the outbox of the scope's context. Needed inside a consumer, where MassTransit's scoped <c>IPublishEndpoint</c> is the
/// message's own context and sends at once.
/// </summary>
internal sealed class OutboxPublishEndpoint(Func<IPublishEndpoint> outbox)
{
    /// <summary>Adds a message to the context. It is sent when the <c>SaveChanges</c> that saves it has committed.</summary>
    public Task PublishAsync<T>(T message, CancellationToken cancellationToken)
        where T : class => outbox().Publish(message, cancellationToken);
}
