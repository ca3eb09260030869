using System.Collections.Concurrent;

namespace Platform.Cli.Tests.Support;

/// <summary>A clock that runs faster than the wall clock and remembers the requested waits.</summary>
internal sealed class FastClock(int factor) : TimeProvider
{
    private readonly long start = System.GetTimestamp();

    /// <summary>Every requested wait, in this clock's time.</summary>
    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    /// <summary>The time of day, which does not move.</summary>
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
