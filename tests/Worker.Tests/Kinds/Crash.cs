using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks;

namespace Platform.Worker.Tests.Kinds;

/// <summary>Where an attempt is cut off.</summary>
public enum Crash
{
    /// <summary>In the checkpoint's transaction, after the handler's write: everything is rolled back.</summary>
    BeforeCommit,

    /// <summary>After the commit, before the handler learns of it.</summary>
    AfterCommit,

    /// <summary>After the checkpoint, when the handler has gone on (it reports progress before the next checkpoint).</summary>
    BetweenCheckpoints,
}

/// <summary>
/// Plans where each attempt is cut off: at the <paramref name="Checkpoint"/>th checkpoint (from 1) of each attempt in turn.
/// </summary>
public sealed class CrashPlan(IEnumerable<(int Checkpoint, Crash Crash)> attempts)
{
    private readonly Queue<(int Checkpoint, Crash Crash)> queue = new(attempts);

    /// <summary>The number of attempts that were cut off.</summary>
    public int Crashes { get; private set; }

    /// <summary>Runs after a checkpoint was committed and its attempt was cut off.</summary>
    public Func<Task> Crashed { get; init; } = () => Task.CompletedTask;

    /// <summary>Wraps the context of the next attempt.</summary>
    public HeavyTaskContext<TParameters> Wrap<TParameters>(HeavyTaskContext<TParameters> context)
        where TParameters : class =>
        queue.TryDequeue(out var next) ? new CrashingContext<TParameters>(context, this, next.Checkpoint, next.Crash) : context;

    private sealed class CrashingContext<TParameters>(HeavyTaskContext<TParameters> context, CrashPlan plan, int checkpoint, Crash crash)
        : HeavyTaskContext<TParameters>
        where TParameters : class
    {
        private int checkpoints;

        public override Guid TaskId => context.TaskId;

        public override string Kind => context.Kind;

        public override string TenantId => context.TenantId;

        public override int Attempt => context.Attempt;

        public override CancellationToken CancellationToken => context.CancellationToken;

        public override TParameters Parameters => context.Parameters;

        public override void ReportProgress(long done, long? total = null, string? text = null)
        {
            if (crash == Crash.BetweenCheckpoints && checkpoints >= checkpoint)
            {
                throw Crashed();
            }

            context.ReportProgress(done, total, text);
        }

        public override void Log(string text, LogLevel level = LogLevel.Information) => context.Log(text, level);

        public override TState? GetCheckpoint<TState>()
            where TState : class => context.GetCheckpoint<TState>();

        public override Task CheckpointAsync<TState>(TState state, Func<DbContext, CancellationToken, Task>? write = null) =>
            CheckpointAsync(
                async (db, cancellationToken) =>
                {
                    if (write is not null)
                    {
                        await write(db, cancellationToken);
                    }

                    return state;
                }
            );

        public override async Task<TState> CheckpointAsync<TState>(Func<DbContext, CancellationToken, Task<TState>> write)
        {
            checkpoints++;
            var state = await context.CheckpointAsync(
                async (db, cancellationToken) =>
                {
                    var written = await write(db, cancellationToken);
                    return checkpoints == checkpoint && crash == Crash.BeforeCommit ? throw Crashed() : written;
                }
            );
            if (checkpoints == checkpoint && crash == Crash.AfterCommit)
            {
                await plan.Crashed();
                throw Crashed();
            }

            return state;
        }

        public override Task<ResultFile> OpenResultFileAsync(string name, string contentType) =>
            context.OpenResultFileAsync(name, contentType);

        public override Task<Stream> OpenResultStreamAsync(string name, string contentType) =>
            context.OpenResultStreamAsync(name, contentType);

        public override void SetResult<TResult>(TResult result) => context.SetResult(result);

        public override Task PublishAsync<TMessage>(TMessage message) => context.PublishAsync(message);

        private IOException Crashed()
        {
            plan.Crashes++;
            return new IOException("The attempt is cut off here.");
        }
    }
}
