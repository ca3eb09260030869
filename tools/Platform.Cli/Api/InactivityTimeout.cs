namespace Platform.Cli.Api;

/// <summary>Cancels its token when nothing has restarted it in time, or when the caller cancels.</summary>
internal sealed class InactivityTimeout : IDisposable
{
    private readonly CancellationTokenSource timer;
    private readonly CancellationTokenSource either;
    private long limitTicks;

    public InactivityTimeout(TimeSpan limit, TimeProvider clock, CancellationToken cancellationToken)
    {
        timer = new CancellationTokenSource(limit, clock);
        either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        limitTicks = limit.Ticks;
    }

    public CancellationToken Token => either.Token;

    /// <summary>Whether the time ran out, in contrast to a cancellation by the caller.</summary>
    public bool HasExpired => timer.IsCancellationRequested;

    /// <summary>The current limit.</summary>
    public TimeSpan Limit => TimeSpan.FromTicks(Interlocked.Read(ref limitTicks));

    /// <summary>Restarts the wait with a new <paramref name="limit"/>, because something moved. Has no effect after expiry.</summary>
    public void Restart(TimeSpan limit)
    {
        Interlocked.Exchange(ref limitTicks, limit.Ticks);
        timer.CancelAfter(limit);
    }

    /// <summary>Restarts the wait with the same limit, because something moved.</summary>
    public void Restart() => timer.CancelAfter(Limit);

    public void Dispose()
    {
        either.Dispose();
        timer.Dispose();
    }
}
