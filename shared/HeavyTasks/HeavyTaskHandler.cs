using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Runs the heavy tasks of one kind. A new instance is created for every attempt, in the scope that MassTransit opened for the
/// message; its <c>DbContext</c> belongs to this attempt alone.
/// </summary>
/// <remarks>
/// Hold no connection and no transaction while computing: read in short pages, and write in <c>CheckpointAsync</c>. Changes that are still
/// tracked when <see cref="RunAsync"/> returns are saved in the transaction that completes the task. <c>SaveChanges</c> outside a
/// checkpoint is refused. Work up to the last checkpoint happens once; work after it may happen again, so effects outside the database must
/// be safe to repeat.
/// </remarks>
/// <typeparam name="TParameters">The parameter record; its <c>HeavyTaskKind</c> attribute names the kind.</typeparam>
public abstract class HeavyTaskHandler<TParameters>
    where TParameters : class
{
    /// <summary>
    /// Runs one attempt. To return means success. To throw means failure: the task is tried again later, until it has failed
    /// <c>maxFailures</c> times, unless the exception is a <see cref="NonRetryableException"/>.
    /// </summary>
    public abstract Task RunAsync(HeavyTaskContext<TParameters> context);
}

/// <summary>What an attempt knows about its task, and everything it can do to the task.</summary>
public abstract class HeavyTaskContext
{
    /// <summary>The id of the task.</summary>
    public abstract Guid TaskId { get; }

    /// <summary>The kind of the task.</summary>
    public abstract string Kind { get; }

    /// <summary>
    /// The tenant to which the task belongs; empty for none. Whoever reads a file that the parameters name gives it to
    /// <see cref="IFileStore.FindAsync"/>, so that nobody reads the file of another tenant through a task.
    /// </summary>
    public abstract string TenantId { get; }

    /// <summary>The number of the attempt; 1 for the first.</summary>
    public abstract int Attempt { get; }

    /// <summary>
    /// Cancelled when the attempt must stop: a client cancelled the task, the attempt exceeded its <c>RunTimeout</c>, another worker took
    /// the task over, or this worker drains. The broker never causes it: a lost connection does not stop a task.
    /// </summary>
    public abstract CancellationToken CancellationToken { get; }

    /// <summary>
    /// Remembers progress. May be called for every row: another thread writes the latest progress to the database, at most twice a second.
    /// </summary>
    /// <param name="done">Units done.</param>
    /// <param name="total">Units in all, if known.</param>
    /// <param name="text">What the handler is doing, for people; at most 500 characters are kept.</param>
    public abstract void ReportProgress(long done, long? total = null, string? text = null);

    /// <summary>
    /// Writes a line for people who look at the task: <c>GET /heavy-tasks/{id}/log</c> and the dashboard show it. It goes to the database within
    /// about half a second, by another thread and outside every transaction, also when the attempt fails; a process that dies loses what it had
    /// not written. It does not go to the log of the process.
    /// </summary>
    /// <param name="text">What happened; at most 1,000 characters are kept.</param>
    /// <param name="level">How important it is. Default: information.</param>
    /// <remarks>The last 1,000 lines of an attempt are kept, of the last five attempts, as long as the task. Whoever sees the task's parameters sees them.</remarks>
    public abstract void Log(string text, LogLevel level = LogLevel.Information);

    /// <summary>The state of the last checkpoint, written by this attempt or an earlier one; null before the first checkpoint.</summary>
    public abstract TState? GetCheckpoint<TState>()
        where TState : class;

    /// <summary>
    /// Commits in one short transaction, all or nothing: the fence, <paramref name="write"/>, the tracked changes, the content of the
    /// result file so far, progress and <paramref name="state"/>. After the commit the change tracker is empty, and the next attempt would
    /// start from here.
    /// </summary>
    /// <param name="state">
    /// Where the next attempt goes on. It is written with each checkpoint as JSON, so keep it small; at most 1 MiB (
    /// <see cref="HeavyTask.MaxCheckpointLength"/>).
    /// </param>
    /// <param name="write">
    /// Writes in bulk in the open transaction. It gets the same context that a handler can have injected. It must not compute for long or
    /// wait for anything else. When the server ends the transaction because of a deadlock, the transaction is rolled back and
    /// <paramref name="write"/> may run again, so its effects outside the database must be safe to repeat. If the context had loaded,
    /// changed or published anything before, there is no second run: the attempt fails, as after other errors.
    /// </param>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt. Let it escape.</exception>
    /// <exception cref="NonRetryableException">The state is too long.</exception>
    public abstract Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write = null)
        where TState : class;

    /// <summary>
    /// Commits a checkpoint whose state depends on what the write did, such as the number of rows that were new. Otherwise the same as the
    /// other overload.
    /// </summary>
    /// <param name="write">
    /// Writes in bulk in the open transaction and returns where the next attempt goes on. It gets the same context that a handler can have
    /// injected. It may run again after a deadlock.
    /// </param>
    /// <returns>What <paramref name="write"/> returned, now committed.</returns>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt. Let it escape.</exception>
    /// <exception cref="NonRetryableException">The state is too long.</exception>
    public abstract Task<TState> CheckpointAsync<TState>(Func<DbContext, CancellationToken, Task<TState>> write)
        where TState : class;

    /// <summary>
    /// Opens the result file of this task to append to it, at the length of the last checkpoint. The file becomes visible when the task
    /// succeeds. A task has one result file: later calls return the same.
    /// </summary>
    /// <param name="name">The file name for downloads.</param>
    /// <param name="contentType">The media type.</param>
    public abstract Task<ResultFile> OpenResultFileAsync(string name, string contentType);

    /// <summary>
    /// Opens the result file as a stream, for libraries that write to nothing else (archives, spreadsheets). The file begins empty in every
    /// attempt, whatever earlier attempts wrote. Dispose what writes to the stream, then the stream: until then checkpoints are refused, and
    /// so is the completion, because nobody can know what is still buffered. The stream supports asynchronous writes only.
    /// </summary>
    /// <param name="name">The file name for downloads.</param>
    /// <param name="contentType">The media type.</param>
    /// <exception cref="InvalidOperationException">This attempt has opened the result file before.</exception>
    public abstract Task<Stream> OpenResultStreamAsync(string name, string contentType);

    /// <summary>
    /// Sets the result that the API returns with the task: at most 1 MiB of JSON (<see cref="HeavyTask.MaxResultLength"/>). What is longer
    /// belongs in a result file.
    /// </summary>
    /// <exception cref="NonRetryableException">The result is too long.</exception>
    public abstract void SetResult<TResult>(TResult result)
        where TResult : class;

    /// <summary>
    /// Publishes a message in the transaction of the next checkpoint or of the completion, whichever comes first; if that does not commit,
    /// the message is not sent.
    /// </summary>
    public abstract Task PublishAsync<TMessage>(TMessage message)
        where TMessage : class;
}

/// <summary>A <see cref="HeavyTaskContext"/> with the parameters of the kind.</summary>
public abstract class HeavyTaskContext<TParameters> : HeavyTaskContext
    where TParameters : class
{
    /// <summary>The parameters that the client sent, validated.</summary>
    public abstract TParameters Parameters { get; }
}

/// <summary>
/// The result file of a task, at the length of the last checkpoint. Every checkpoint makes permanent all that was written before it; the
/// context closes the file when the task succeeds. It is no <see cref="Stream"/> on purpose: a writer around a stream would keep the last
/// characters to itself at a checkpoint, and the file of a resumed task would lack them.
/// </summary>
public abstract class ResultFile
{
    /// <summary>The number of bytes so far, without what <see cref="Text"/> still buffers.</summary>
    public abstract long Length { get; }

    /// <summary>
    /// Appends text as UTF-8 without a byte order mark. It belongs to the context: checkpoints and the completion include all that was
    /// written to it, whether or not it was flushed. Prefer its asynchronous methods; synchronous ones only buffer, at most 16,777,216
    /// characters.
    /// </summary>
    /// <remarks>A writer around this one that buffers by itself (CsvHelper's, XmlWriter) must be flushed before each checkpoint.</remarks>
    public abstract TextWriter Text { get; }

    /// <summary>Appends bytes, after the text written so far.</summary>
    /// <exception cref="InvalidOperationException">It was called inside a checkpoint's <c>write</c>.</exception>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt. Let it escape.</exception>
    public abstract Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default);
}
