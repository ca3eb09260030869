namespace Platform.Cli.Api;

/// <summary>Cancels its token when nothing restarted it in time, or when the caller cancels.</summary>
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

    /// <summary>Whether the time ran out (and not the caller cancelled).</summary>
    public bool HasExpired => timer.IsCancellationRequested;

    /// <summary>The limit that runs now.</summary>
    public TimeSpan Limit => TimeSpan.FromTicks(Interlocked.Read(ref limitTicks));

    /// <summary>Something moved: waits anew, for <paramref name="limit"/>. Without effect after expiry.</summary>
    public void Restart(TimeSpan limit)
    {
        Interlocked.Exchange(ref limitTicks, limit.Ticks);
        timer.CancelAfter(limit);
    }

    /// <summary>Something moved: waits anew for as long as before.</summary>
    public void Restart() => timer.CancelAfter(Limit);

    public void Dispose()
    {
        either.Dispose();
        timer.Dispose();
    }
}
