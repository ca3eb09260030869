using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>The state of one attempt that does not depend on the type of its parameters: checkpoints, result and result file.</summary>
internal sealed class AttemptState(
    ClaimedHeavyTask task,
    RunningAttempt running,
    DbContext db,
    OutboxPublishEndpoint outbox,
    TaskLifecycle lifecycle,
    ResultFiles resultFiles,
    TimeProvider time
)
{
    private string? checkpoint = task.Checkpoint;
    private ResultFile? resultFile;

    public ClaimedHeavyTask Task { get; } = task;

    public RunningAttempt Running { get; } = running;

    public HeavyTaskFence Fence => Running.Fence;

    public string? Result { get; private set; }

    public TState? GetCheckpoint<TState>()
        where TState : class => checkpoint is null ? null : JsonSerializer.Deserialize<TState>(checkpoint, HeavyTaskJson.Options);

    public Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write)
        where TState : class
    {
        var json = JsonSerializer.Serialize(state, HeavyTaskJson.Options);
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
                return JsonSerializer.Serialize(state, HeavyTaskJson.Options);
            }
        );
        return state!;
    }

    private async Task CheckpointAsync(string? expected, Func<CancellationToken, Task<string>> write)
    {
        var progress = Running.CurrentProgress;

        // What a handler loaded, changed or published before is known to nobody else: a second try could not write it.
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
        finally
        {
            db.ChangeTracker.Clear();
            CheckpointGate.Close(db);
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

        // The fence comes first: it locks the task's row until the commit, so whoever takes the task over comes before or after, not between.
        if (await db.HeavyTasks.CheckpointAsync(Fence, expected, progress.Done, progress.Total, progress.Text, cancellationToken) == 0)
        {
            throw new HeavyTaskFenceException(Fence);
        }

        var json = await write(cancellationToken);
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
        return json;
    }

    public async Task<Stream> OpenResultFileAsync(string name, string contentType) =>
        resultFile ??= await resultFiles.OpenAsync(Fence, name, contentType, Running.Token);

    public void SetResult<TResult>(TResult result)
        where TResult : class => Result = JsonSerializer.Serialize(result, HeavyTaskJson.Options);

    public Task PublishAsync<TMessage>(TMessage message)
        where TMessage : class => outbox.PublishAsync(message, Running.Token);

    /// <summary>
    /// The handler's tracked changes, the result, the new status, the end of the attempt and HeavyTaskSucceeded commit together, while the
    /// fence holds, or not at all.
    /// </summary>
    public async Task SucceedAsync(DateTime now, CancellationToken cancellationToken)
    {
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

    // What the handler may have read of its own task: it would be in the way of the rows that are attached next.
    private void ForgetOwnRows()
    {
        // SaveChanges looks for changed properties; listing entries need not do it, too.
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
