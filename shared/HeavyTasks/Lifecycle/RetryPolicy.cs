namespace Platform.HeavyTasks;

/// <summary>
/// Decides whether a task that failed is tried again, and after which delay: exponential backoff with full jitter, evenly between zero and
/// a limit that doubles with every failure. Jitter keeps tasks that failed together from coming back together (M. Brooker, "Exponential
/// Backoff And Jitter", AWS Architecture Blog, 2015).
/// </summary>
internal static class RetryPolicy
{
    /// <summary>The delay before the next attempt; null when the task is given up.</summary>
    /// <param name="error">What the attempt ended with.</param>
    /// <param name="failures">Failures so far, this one included.</param>
    /// <param name="maxAttempts">Failures after which the task is given up.</param>
    /// <param name="options">The kind's options: <see cref="HeavyTaskKindOptions.RetryDelay"/> limits the first delay, and
    /// <see cref="HeavyTaskKindOptions.MaxRetryDelay"/> every other.</param>
    /// <param name="random">The source of the jitter.</param>
    public static TimeSpan? DelayAfter(Exception error, int failures, int maxAttempts, HeavyTaskKindOptions options, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        if (error is NonRetryableException || failures >= maxAttempts)
        {
            return null;
        }

        var limit = Math.Min(
            options.RetryDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 62)),
            options.MaxRetryDelay.TotalMilliseconds
        );
        return TimeSpan.FromMilliseconds(limit * random.NextDouble());
    }
}
