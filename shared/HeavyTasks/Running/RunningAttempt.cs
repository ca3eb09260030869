namespace Platform.HeavyTasks;

/// <summary>Why a running attempt was told to stop.</summary>
internal enum StopReason
{
    CancelRequested,
    TimedOut,
    TakenAway,
    Draining,
}

/// <summary>One attempt that runs in this process: how to stop it, and the progress it reported.</summary>
internal sealed class RunningAttempt(HeavyTaskFence fence, string kind, long startedAt) : IDisposable
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

    /// <summary>A timestamp of the time provider.</summary>
    public long StartedAt { get; } = startedAt;

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

    /// <summary>The first reason wins; after the attempt has ended nothing happens.</summary>
    public void Stop(StopReason why)
    {
        lock (gate)
        {
            if (reason is not null || disposed)
            {
                return;
            }

            reason = why;

            // Callbacks of the handler run on the pool, not on the keeper.
            _ = stopping.CancelAsync();
        }
    }

    /// <summary>The progress that an earlier attempt left; not news.</summary>
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

    public bool TryTakeChangedProgress(out Progress value)
    {
        lock (gate)
        {
            value = progress;
            var changed = progressChanged;
            progressChanged = false;
            return changed;
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
