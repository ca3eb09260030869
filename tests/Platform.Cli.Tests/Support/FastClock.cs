using System.Collections.Concurrent;

namespace Platform.Cli.Tests.Support;

/// <summary>A clock that runs faster than the wall's, and remembers what was waited for.</summary>
internal sealed class FastClock(int factor) : TimeProvider
{
    private readonly long start = System.GetTimestamp();

    /// <summary>Every wait that was asked for, in this clock's time.</summary>
    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    /// <summary>The time of day; it stands still.</summary>
    public DateTimeOffset Now { get; init; } = new(2026, 1, 2, 4, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => System.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => Now;

    public override long GetTimestamp() => start + ((System.GetTimestamp() - start) * factor);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waits.Enqueue(dueTime);
        return System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / factor : dueTime, period);
    }
}
