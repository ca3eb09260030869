using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>What an attempt does to its task, whatever the type of the parameters: checkpoints, result and result file.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The handler disposes the stream; that it does is checked.")]
internal sealed class AttemptContext(
    ClaimedHeavyTask task,
    RunningAttempt running,
    DbContext db,
    OutboxPublishEndpoint outbox,
    TaskLifecycle lifecycle,
    ResultFiles resultFiles,
    IAttemptObserver? observer,
    TimeProvider time
)
{
    private string? checkpoint = task.Checkpoint;
    private AttemptResultFile? resultFile;
    private ResultStream? resultStream;

    public ClaimedHeavyTask Task { get; } = task;

    public RunningAttempt Running { get; } = running;

    public HeavyTaskFence Fence => Running.Fence;

    public string? Result { get; private set; }

    public TState? GetCheckpoint<TState>()
        where TState : class => checkpoint is null ? null : JsonSerializer.Deserialize<TState>(checkpoint, HeavyTaskJson.Options);

    public void Log(string text, LogLevel level) =>
        Running.Lines.Add(time.GetUtcNow().UtcDateTime, level, StorableText.Of(text, HeavyTaskLogLine.MaxTextLength));

    public Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write)
        where TState : class
    {
        var json = StateJson.OfCheckpoint(state);
        return CheckpointAsync(
            json,
            async cancellationToken =>
            {
                if (write is not null)
                {
                    await write(db, cancellationToken);
                }

                return json;
            }
        );
    }

    public async Task<TState> CheckpointAsync<TState>(Func<DbContext, CancellationToken, Task<TState>> write)
        where TState : class
    {
        TState? state = null;
        await CheckpointAsync(
            checkpoint,
            async cancellationToken =>
            {
                state = await write(db, cancellationToken);
                return StateJson.OfCheckpoint(state);
            }
        );
        return state!;
    }

    private async Task CheckpointAsync(string? expected, Func<CancellationToken, Task<string>> write)
    {
        RefuseWhileStreaming("CheckpointAsync");
        using var span = HeavyTaskTraces.StartCheckpoint();
        if (resultFile is not null)
        {
            await resultFile.DrainTextAsync(Running.Token);
        }

        var progress = Running.CurrentProgress;

        // Only the context knows what the handler loaded, changed or published before, so a second try could not write it.
        var repeatable = !db.ChangeTracker.Entries().Any();
        CheckpointGate.Open(db);
        try
        {
            checkpoint = repeatable
                ? await Deadlocks.RetryAsync(
                    () =>
                    {
                        db.ChangeTracker.Clear();
                        return WriteCheckpointAsync(expected, progress, write, Running.Token);
                    },
                    time,
                    Running.Token
                )
                : await WriteCheckpointAsync(expected, progress, write, Running.Token);
        }
        catch (Exception error)
        {
            span?.Failed(error, Running.Reason);
            throw;
        }
        finally
        {
            db.ChangeTracker.Clear();
            CheckpointGate.Close(db);
        }

        if (observer is not null)
        {
            await observer.CheckpointedAsync(Fence);
        }
    }

    private async Task<string> WriteCheckpointAsync(
        string? expected,
        Progress progress,
        Func<CancellationToken, Task<string>> write,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);

        // The fence comes first: it locks the task's row until the commit, so a takeover happens before or after this transaction, not
        // during it.
        if (await db.HeavyTasks.CheckpointAsync(Fence, expected, progress.Done, progress.Total, progress.Text, cancellationToken) == 0)
        {
            throw new HeavyTaskFenceException(Fence);
        }

        var json = await WriteAsync(write, cancellationToken);
        if (json != expected)
        {
            await db.HeavyTasks.CheckpointAsync(Fence, json, progress.Done, progress.Total, progress.Text, cancellationToken);
        }

        if (resultFile is not null)
        {
            await resultFile.WriteTailAsync(db, cancellationToken);
        }

        await db.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        resultFile?.TailCommitted();
        return json;
    }

    private async Task<string> WriteAsync(Func<CancellationToken, Task<string>> write, CancellationToken cancellationToken)
    {
        var file = resultFile;
        file?.IsInCheckpoint = true;
        try
        {
            return await write(cancellationToken);
        }
        finally
        {
            file?.IsInCheckpoint = false;
        }
    }

    public async Task<ResultFile> OpenResultFileAsync(string name, string contentType)
    {
        RefuseWhileStreaming(nameof(OpenResultFileAsync));
        return resultFile ??= await resultFiles.OpenAsync(Fence, Task.TenantId, name, contentType, anew: false, Running.Token);
    }

    public async Task<Stream> OpenResultStreamAsync(string name, string contentType)
    {
        if (resultFile is not null)
        {
            throw new InvalidOperationException("This attempt has opened the result file before; a stream writes it in one piece.");
        }

        resultFile = await resultFiles.OpenAsync(Fence, Task.TenantId, name, contentType, anew: true, Running.Token);
        return resultStream = new ResultStream(resultFile);
    }

    private void RefuseWhileStreaming(string what)
    {
        if (resultStream is { IsDisposed: false })
        {
            throw new InvalidOperationException(
                $"Dispose the writer and the stream of OpenResultStreamAsync before {what}: what is still buffered around the stream would be missing from the file. "
                    + "To write a file over several checkpoints, use OpenResultFileAsync."
            );
        }
    }

    public void SetResult<TResult>(TResult result)
        where TResult : class => Result = StateJson.OfResult(result);

    public Task PublishAsync<TMessage>(TMessage message)
        where TMessage : class => outbox.PublishAsync(message, Running.Token);

    /// <summary>
    /// Commits, while the fence holds, all or none of these: the handler's tracked changes, the result, the new status, the end of the
    /// attempt and HeavyTaskSucceeded.
    /// </summary>
    public async Task SucceedAsync(DateTime now, CancellationToken cancellationToken)
    {
        RefuseWhileStreaming("the task completes");
        CheckpointGate.Open(db);
        Guid? resultFileId = null;
        if (resultFile is not null)
        {
            resultFileId = await resultFile.CloseAsync(db, now, cancellationToken);
        }

        ForgetOwnRows();
        var (done, total, text) = Running.CurrentProgress;
        await lifecycle.SucceedAsync(
            Fence,
            Task.Kind,
            new HeavyTaskSuccess(now, Result, resultFileId, done, total, text),
            time,
            cancellationToken
        );
    }

    // The handler may have read its own task; those rows would conflict with the rows that are attached next.
    private void ForgetOwnRows()
    {
        // SaveChanges detects changed properties itself, so listing the entries need not do it as well.
        var detects = db.ChangeTracker.AutoDetectChangesEnabled;
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        foreach (var entry in db.ChangeTracker.Entries().Where(e => IsOwnRow(e.Entity)).ToArray())
        {
            entry.State = EntityState.Detached;
        }

        db.ChangeTracker.AutoDetectChangesEnabled = detects;
    }

    private bool IsOwnRow(object entity) =>
        entity switch
        {
            HeavyTask task => task.Id == Fence.TaskId,
            HeavyTaskAttempt attempt => attempt.TaskId == Fence.TaskId && attempt.Attempt == Fence.Attempt,
            _ => false,
        };
}

/// <summary>The same context with typed parameters, as a handler sees it.</summary>
internal sealed class AttemptContext<TParameters>(AttemptContext attempt, TParameters parameters) : HeavyTaskContext<TParameters>
    where TParameters : class
{
    public override Guid TaskId => attempt.Fence.TaskId;

    public override string Kind => attempt.Task.Kind;

    public override string TenantId => attempt.Task.TenantId;

    public override int Attempt => attempt.Fence.Attempt;

    public override CancellationToken CancellationToken => attempt.Running.Token;

    public override TParameters Parameters => parameters;

    public override void ReportProgress(long done, long? total = null, string? text = null) =>
        attempt.Running.Report(new Progress(done, total, text is null ? null : StorableText.Of(text, HeavyTask.MaxProgressTextLength)));

    public override void Log(string text, LogLevel level = LogLevel.Information)
    {
        ArgumentNullException.ThrowIfNull(text);
        attempt.Log(text, level);
    }

    public override TState? GetCheckpoint<TState>()
        where TState : class => attempt.GetCheckpoint<TState>();

    public override Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write = null) =>
        attempt.CheckpointAsync(state, write);

    public override Task<TState> CheckpointAsync<TState>(Func<DbContext, CancellationToken, Task<TState>> write) =>
        attempt.CheckpointAsync(write);

    public override Task<ResultFile> OpenResultFileAsync(string name, string contentType) => attempt.OpenResultFileAsync(name, contentType);

    public override Task<Stream> OpenResultStreamAsync(string name, string contentType) => attempt.OpenResultStreamAsync(name, contentType);

    public override void SetResult<TResult>(TResult result) => attempt.SetResult(result);

    public override Task PublishAsync<TMessage>(TMessage message) => attempt.PublishAsync(message);
}

/// <summary>Is told what attempts have committed; only the test harness has one.</summary>
internal interface IAttemptObserver
{
    /// <summary>A checkpoint has committed. What this throws goes to the handler.</summary>
    Task CheckpointedAsync(HeavyTaskFence fence);
}
