namespace Platform.HeavyTasks;

/// <summary>
/// The times in which this process did not look, because it stood still (stopped, swapped out, short of threads) or waited for an answer.
/// They do not count as idle time, because a holder could not give its connection back then either.
/// </summary>
internal sealed class Standstills(TimeProvider time)
{
    /// <summary>The pause between two looks: 1 s.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Tolerated = Interval * 2;

    // Only the latest are kept: older ones concern holders that are minutes over any limit.
    private const int MaxCount = 100;

    private readonly Queue<(long End, TimeSpan Length)> past = new();
    private long lastLook = time.GetTimestamp();

    /// <summary>Records that the process looks now, and how long it did not look before.</summary>
    /// <returns>The current timestamp.</returns>
    public long Look()
    {
        var now = time.GetTimestamp();
        var gap = time.GetElapsedTime(lastLook, now);
        if (gap > Tolerated)
        {
            past.Enqueue((now, gap - Interval));
            if (past.Count > MaxCount)
            {
                past.Dequeue();
            }
        }

        lastLook = now;
        return now;
    }

    /// <summary>The time since a moment, less the standstills in it.</summary>
    public TimeSpan Elapsed(long since, long now)
    {
        var elapsed = time.GetElapsedTime(since, now);
        foreach (var (end, length) in past)
        {
            var part = time.GetElapsedTime(since, end);
            if (part > TimeSpan.Zero)
            {
                elapsed -= part < length ? part : length;
            }
        }

        return elapsed > TimeSpan.Zero ? elapsed : TimeSpan.Zero;
    }
}
