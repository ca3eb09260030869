using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>The context that a handler sees.</summary>
internal sealed class AttemptContext<TParameters>(AttemptState attempt, TParameters parameters) : HeavyTaskContext<TParameters>
    where TParameters : class
{
    public override Guid TaskId => attempt.Fence.TaskId;

    public override string Kind => attempt.Task.Kind;

    public override int Attempt => attempt.Fence.Attempt;

    public override CancellationToken CancellationToken => attempt.Running.Token;

    public override TParameters Parameters => parameters;

    public override void ReportProgress(long done, long? total = null, string? text = null) =>
        attempt.Running.Report(new Progress(done, total, text is null ? null : StorableText.Of(text, HeavyTask.MaxProgressTextLength)));

    public override TState? GetCheckpoint<TState>()
        where TState : class => attempt.GetCheckpoint<TState>();

    public override Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write = null) =>
        attempt.CheckpointAsync(state, write);

    public override Task<TState> CheckpointAsync<TState>(Func<DbContext, CancellationToken, Task<TState>> write) =>
        attempt.CheckpointAsync(write);

    public override Task<Stream> OpenResultFileAsync(string name, string contentType) => attempt.OpenResultFileAsync(name, contentType);

    public override void SetResult<TResult>(TResult result) => attempt.SetResult(result);

    public override Task PublishAsync<TMessage>(TMessage message) => attempt.PublishAsync(message);
}
