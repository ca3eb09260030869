using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>
/// The set-based transitions of <see cref="HeavyTask"/>. Each is one conditional update that returns the number of rows it
/// changed; 0 means that the task was not (or no longer) in the state that the transition starts from.
/// A transition to Queued must be saved together with its <c>HeavyTaskRequested</c>, in the caller's transaction.
/// </summary>
public static class HeavyTaskTransitions
{
    /// <summary>The task of this fence, while the fence holds.</summary>
    public static IQueryable<HeavyTask> Owned(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence) =>
        tasks.Where(t => t.Id == fence.TaskId && t.Status == HeavyTaskStatus.Running && t.Attempt == fence.Attempt && t.Owner == fence.Owner);

    /// <summary>Writes progress and checkpoint of a running task.</summary>
    public static Task<int> CheckpointAsync(
        this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, string? state, long done, long? total, string? text, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Checkpoint, state)
                .SetProperty(t => t.ProgressDone, done)
                .SetProperty(t => t.ProgressTotal, total)
                .SetProperty(t => t.ProgressText, text),
            cancellationToken);

    /// <summary>Writes the progress of a running task.</summary>
    public static Task<int> ReportProgressAsync(
        this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, long done, long? total, string? text, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.ProgressDone, done)
                .SetProperty(t => t.ProgressTotal, total)
                .SetProperty(t => t.ProgressText, text),
            cancellationToken);

    /// <summary>Running to Scheduled: failed, to be tried again after <paramref name="delay"/>.</summary>
    public static Task<int> RetryLaterAsync(
        this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, TimeSpan delay, string error, CancellationToken cancellationToken)
    {
        var seconds = delay.TotalSeconds;
        return tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Scheduled)
                .SetProperty(t => t.Owner, (Guid?)null)
                .SetProperty(t => t.Failures, t => t.Failures + 1)
                .SetProperty(t => t.DueAt, _ => DatabaseClock.UtcNow().AddSeconds(seconds))
                .SetProperty(t => t.Error, error),
            cancellationToken);
    }

    /// <summary>Running to Failed.</summary>
    public static Task<int> FailAsync(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, string error, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                .SetProperty(t => t.Owner, (Guid?)null)
                .SetProperty(t => t.Failures, t => t.Failures + 1)
                .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                .SetProperty(t => t.Error, error),
            cancellationToken);

    /// <summary>Running to Cancelled.</summary>
    public static Task<int> CancelOwnedAsync(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Cancelled)
                .SetProperty(t => t.Owner, (Guid?)null)
                .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow()),
            cancellationToken);

    /// <summary>Running to Queued at no cost: the worker drains.</summary>
    public static Task<int> ReleaseAsync(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                .SetProperty(t => t.Owner, (Guid?)null)
                .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow()),
            cancellationToken);

    /// <summary>Running to Queued: the owner died.</summary>
    public static Task<int> TakeOverAsync(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, string error, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                .SetProperty(t => t.Owner, (Guid?)null)
                .SetProperty(t => t.Crashes, t => t.Crashes + 1)
                .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow())
                .SetProperty(t => t.Error, error),
            cancellationToken);

    /// <summary>Running to Failed: the owner died once too often.</summary>
    public static Task<int> FailCrashedAsync(this IQueryable<HeavyTask> tasks, HeavyTaskFence fence, string error, CancellationToken cancellationToken) =>
        tasks.Owned(fence).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                .SetProperty(t => t.Owner, (Guid?)null)
                .SetProperty(t => t.Crashes, t => t.Crashes + 1)
                .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow())
                .SetProperty(t => t.Error, error),
            cancellationToken);

    /// <summary>Scheduled to Queued, for the tasks given.</summary>
    public static Task<int> QueueDueAsync(this IQueryable<HeavyTask> tasks, IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        tasks.Where(t => ids.Contains(t.Id) && t.Status == HeavyTaskStatus.Scheduled).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                .SetProperty(t => t.DueAt, (DateTime?)null)
                .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow()),
            cancellationToken);

    /// <summary>Scheduled or Queued to Cancelled.</summary>
    public static Task<int> CancelWaitingAsync(this IQueryable<HeavyTask> tasks, Guid id, CancellationToken cancellationToken) =>
        tasks.Where(t => t.Id == id && (t.Status == HeavyTaskStatus.Scheduled || t.Status == HeavyTaskStatus.Queued)).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Cancelled)
                .SetProperty(t => t.DueAt, (DateTime?)null)
                .SetProperty(t => t.FinishedAt, _ => DatabaseClock.UtcNow()),
            cancellationToken);

    /// <summary>Asks the worker of a running task to stop it.</summary>
    public static Task<int> RequestCancelAsync(this IQueryable<HeavyTask> tasks, Guid id, CancellationToken cancellationToken) =>
        tasks.Where(t => t.Id == id && t.Status == HeavyTaskStatus.Running).ExecuteUpdateAsync(
            set => set.SetProperty(t => t.CancelRequested, true), cancellationToken);

    /// <summary>
    /// Failed or Cancelled to Queued, by hand. Failures and crashes start from zero; the attempt goes on rising, and the last
    /// checkpoint is kept, so the task goes on where it stopped.
    /// </summary>
    public static Task<int> RetryAsync(this IQueryable<HeavyTask> tasks, Guid id, CancellationToken cancellationToken) =>
        tasks.Where(t => t.Id == id && (t.Status == HeavyTaskStatus.Failed || t.Status == HeavyTaskStatus.Cancelled)).ExecuteUpdateAsync(
            set => set
                .SetProperty(t => t.Status, HeavyTaskStatus.Queued)
                .SetProperty(t => t.Failures, 0)
                .SetProperty(t => t.Crashes, 0)
                .SetProperty(t => t.CancelRequested, false)
                .SetProperty(t => t.QueuedAt, _ => DatabaseClock.UtcNow())
                .SetProperty(t => t.FinishedAt, (DateTime?)null)
                .SetProperty(t => t.Error, (string?)null),
            cancellationToken);

    /// <summary>Closes the record of an attempt.</summary>
    public static Task<int> EndAsync(
        this IQueryable<HeavyTaskAttempt> attempts, Guid taskId, int attempt, AttemptOutcome outcome, string? error, CancellationToken cancellationToken) =>
        attempts.Where(a => a.TaskId == taskId && a.Attempt == attempt && a.Outcome == null).ExecuteUpdateAsync(
            set => set
                .SetProperty(a => a.Outcome, outcome)
                .SetProperty(a => a.EndedAt, _ => DatabaseClock.UtcNow())
                .SetProperty(a => a.Error, error),
            cancellationToken);
}
