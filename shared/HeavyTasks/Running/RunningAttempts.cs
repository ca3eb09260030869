using System.Collections.Concurrent;

namespace Platform.HeavyTasks;

/// <summary>The attempts that run in this process.</summary>
internal sealed class RunningAttempts
{
    /// <summary>The most lines of attempts that have ended; beyond that the oldest attempt's are lost.</summary>
    internal const int MaxEndedLines = 20_000;

    private readonly ConcurrentDictionary<HeavyTaskFence, RunningAttempt> tasks = new();
    private readonly Lock gate = new();
    private readonly Queue<AttemptLines> ended = new();
    private int endedLines;

    public int Count => tasks.Count;

    public ICollection<RunningAttempt> All => tasks.Values;

    public RunningAttempt Add(HeavyTaskFence fence, ClaimedHeavyTask claimed, long startedAt)
    {
        var task = new RunningAttempt(fence, claimed.Kind, claimed.TenantId, startedAt);
        tasks[fence] = task;
        return task;
    }

    public void Remove(RunningAttempt task)
    {
        tasks.TryRemove(task.Fence, out _);
        if (task.Lines.Count is > 0 and var count)
        {
            lock (gate)
            {
                ended.Enqueue(task.Lines);
                endedLines += count;

                // Nobody has taken any for a while: the database does not answer.
                while (endedLines > MaxEndedLines && ended.TryDequeue(out var oldest))
                {
                    endedLines -= oldest.Count;
                }
            }
        }
    }

    /// <summary>The lines of running attempts, and of those that have ended since the last call.</summary>
    public IEnumerable<AttemptLines> TakeLines()
    {
        AttemptLines[] done;
        lock (gate)
        {
            done = [.. ended];
            ended.Clear();
            endedLines = 0;
        }

        return done.Concat(tasks.Values.Select(task => task.Lines).Where(lines => lines.Count > 0));
    }

    public RunningAttempt? Find(Guid taskId, int attempt, Guid owner) =>
        tasks.GetValueOrDefault(new HeavyTaskFence(taskId, attempt, owner));
}

/// <summary>Why a running attempt was told to stop.</summary>
internal enum StopReason
{
    CancelRequested,
    TimedOut,
    TakenAway,
    Draining,
}

/// <summary>One attempt that runs in this process: how to stop it, and the progress it reported.</summary>
internal sealed class RunningAttempt(HeavyTaskFence fence, string kind, string tenantId, long startedAt) : IDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly TaskCompletionSource settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Progress progress;
    private bool progressChanged;
    private StopReason? reason;
    private bool disposed;

    public HeavyTaskFence Fence { get; } = fence;

    public string Kind { get; } = kind;

    /// <summary>The tenant of the task; empty for none.</summary>
    public string TenantId { get; } = tenantId;

    /// <summary>When the attempt started, as a timestamp of the time provider.</summary>
    public long StartedAt { get; } = startedAt;

    /// <summary>Lines that the handler wrote and that are not in the database yet.</summary>
    public AttemptLines Lines { get; } = new(fence.TaskId, fence.Attempt);

    public CancellationToken Token => stopping.Token;

    /// <summary>Completes when the outcome of the attempt is written.</summary>
    public Task Settled => settled.Task;

    public StopReason? Reason
    {
        get
        {
            lock (gate)
            {
                return reason;
            }
        }
    }

    public Progress CurrentProgress
    {
        get
        {
            lock (gate)
            {
                return progress;
            }
        }
    }

    /// <summary>Tells the attempt to stop. The first reason wins; after the attempt has ended, the call does nothing.</summary>
    public void Stop(StopReason why)
    {
        lock (gate)
        {
            if (reason is not null || disposed)
            {
                return;
            }

            reason = why;

            // Callbacks that the handler registered run on the thread pool, so they cannot block the keeper.
            _ = stopping.CancelAsync();
        }
    }

    /// <summary>Sets the progress that an earlier attempt left, which need not be written again.</summary>
    public void StartFrom(Progress value)
    {
        lock (gate)
        {
            progress = value;
        }
    }

    public void Report(Progress value)
    {
        lock (gate)
        {
            progressChanged |= progress != value;
            progress = value;
        }
    }

    /// <summary>Whether progress was reported that is not written yet.</summary>
    public bool HasChangedProgress
    {
        get
        {
            lock (gate)
            {
                return progressChanged;
            }
        }
    }

    /// <summary>Records that this progress is written; later progress is not.</summary>
    public void ProgressWritten(Progress value)
    {
        lock (gate)
        {
            progressChanged &= progress != value;
        }
    }

    public void MarkSettled() => settled.TrySetResult();

    public void Dispose()
    {
        settled.TrySetResult();
        lock (gate)
        {
            disposed = true;
            stopping.Dispose();
        }
    }
}

/// <summary>What a handler reported last.</summary>
internal readonly record struct Progress(long Done, long? Total, string? Text);
