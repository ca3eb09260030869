using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>What an attempt knows of its task, and all it can do to it.</summary>
public abstract class HeavyTaskContext
{
    /// <summary>The task.</summary>
    public abstract Guid TaskId { get; }

    /// <summary>Its kind.</summary>
    public abstract string Kind { get; }

    /// <summary>1 for the first attempt.</summary>
    public abstract int Attempt { get; }

    /// <summary>
    /// Cancelled when the attempt must stop: cancelled by a client, past its <c>RunTimeout</c>, taken over by another worker, or the
    /// worker drains. It never comes from the broker: a lost connection does not stop a task.
    /// </summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>Remembers progress; written at most twice a second, by somebody else, so it may be called for every row.</summary>
    /// <param name="done">Units done.</param>
    /// <param name="total">Units in all, if known.</param>
    /// <param name="text">What is being done, for people; at most 500 characters are kept.</param>
    public abstract void ReportProgress(long done, long? total = null, string? text = null);

    /// <summary>The state of the last checkpoint, of this attempt or an earlier one; null before the first.</summary>
    public abstract TState? GetCheckpoint<TState>()
        where TState : class;

    /// <summary>
    /// One short transaction: the fence, <paramref name="write"/>, the tracked changes, the content of the result file so far, progress
    /// and <paramref name="state"/> commit together or not at all. Then the change tracker is empty, and the next attempt starts from here.
    /// </summary>
    /// <param name="state">Where to go on; kept as JSON, so keep it small.</param>
    /// <param name="write">
    /// Writes in bulk, in the open transaction; gets the context that the handler may have had injected. Must not compute long or wait for anything else. When the server ends the transaction
    /// because of a deadlock it is rolled back and <paramref name="write"/> may run again, so what it does outside the database must bear that.
    /// With anything loaded, changed or published on the context before, there is no second run: the attempt ends, as after other errors.
    /// </param>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt. Let it escape.</exception>
    public abstract Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write = null)
        where TState : class;

    /// <summary>The same, where the state depends on what the write did, such as the number of rows that were new.</summary>
    /// <param name="write">Writes in bulk, in the open transaction; gets the context that the handler may have had injected, and returns where to go on. May run again after a deadlock.</param>
    /// <returns>What <paramref name="write"/> returned, now committed.</returns>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt. Let it escape.</exception>
    public abstract Task<TState> CheckpointAsync<TState>(Func<DbContext, CancellationToken, Task<TState>> write)
        where TState : class;

    /// <summary>
    /// The result file of this task: a stream to append to, at the length of the last checkpoint. Asynchronous writes only; the context
    /// closes it. Becomes visible when the task succeeds. One per task: later calls return the same stream.
    /// </summary>
    /// <param name="name">File name for downloads.</param>
    /// <param name="contentType">Media type.</param>
    public abstract Task<Stream> OpenResultFileAsync(string name, string contentType);

    /// <summary>The result that the API returns with the task, as JSON.</summary>
    public abstract void SetResult<TResult>(TResult result)
        where TResult : class;

    /// <summary>Publishes a message with the next checkpoint or the completion, whichever comes first: with its transaction or not at all.</summary>
    public abstract Task PublishAsync<TMessage>(TMessage message)
        where TMessage : class;
}

/// <summary>A <see cref="HeavyTaskContext"/> with the parameters of the kind.</summary>
public abstract class HeavyTaskContext<TParameters> : HeavyTaskContext
    where TParameters : class
{
    /// <summary>What the client asked for, validated.</summary>
    public abstract TParameters Parameters { get; }
}
