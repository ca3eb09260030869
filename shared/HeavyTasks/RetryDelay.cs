namespace Platform.HeavyTasks;

/// <summary>
/// Exponential backoff with full jitter: evenly between 0 and a bound that doubles with every failure. Jitter keeps tasks that failed
/// together from coming back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
/// </summary>
public static class RetryDelay
{
    /// <summary>The pause before the next attempt.</summary>
    /// <param name="failures">Failures so far, 1 or more.</param>
    /// <param name="first">The bound after the first failure.</param>
    /// <param name="max">The bound of the bound.</param>
    /// <param name="random">The dice.</param>
    public static TimeSpan Next(int failures, TimeSpan first, TimeSpan max, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        ArgumentNullException.ThrowIfNull(random);
        var bound = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 62)), max.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(bound * random.NextDouble());
    }
}
