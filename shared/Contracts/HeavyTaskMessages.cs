namespace Platform.Contracts;

/// <summary>
/// Asks a worker to run one heavy task. The message is small on purpose: the row in <c>heavy_tasks</c> is the truth, and the message only
/// says where to look. It may arrive twice or late; a worker that does not win the claim acknowledges the message and does nothing.
/// </summary>
/// <param name="TaskId">The task's row.</param>
/// <param name="Kind">The task's kind; as the routing key it decides the queue.</param>
public sealed record HeavyTaskRequested(Guid TaskId, string Kind)
{
    /// <summary>
    /// How many workers have died while they ran the task, when the message was published. A task with one crash left runs apart from others
    /// of its sort.
    /// </summary>
    public int Crashes { get; init; }
}

/// <summary>
/// The task succeeded. The event is published in the transaction that completed the task: at least once, in no promised order.
/// </summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The attempt that succeeded.</param>
public sealed record HeavyTaskSucceeded(Guid TaskId, string Kind, int Attempt);

/// <summary>The task failed for good: it used up its failures or crashes, or its handler said that retrying is useless.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The last attempt.</param>
/// <param name="Error">What went wrong, as stored with the task.</param>
public sealed record HeavyTaskFailed(Guid TaskId, string Kind, int Attempt, string Error);

/// <summary>The task was cancelled while it waited or ran.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The attempt that was running, or the last one before; 0 if the task never ran.</param>
public sealed record HeavyTaskCancelled(Guid TaskId, string Kind, int Attempt);
