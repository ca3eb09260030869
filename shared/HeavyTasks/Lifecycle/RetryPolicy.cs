namespace Platform.HeavyTasks;

/// <summary>
/// Decides whether a failed task is tried again, and after which delay: exponential backoff with full jitter. The delay lies evenly between
/// zero and a limit that doubles with every failure. Jitter prevents tasks that failed together from coming back together (M. Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
/// </summary>
internal static class RetryPolicy
{
    /// <summary>The delay before the next attempt; null when the task is given up.</summary>
    /// <param name="error">The error that ended the attempt.</param>
    /// <param name="failures">The failures so far, including this one.</param>
    /// <param name="maxFailures">The number of failures after which the task is given up.</param>
    /// <param name="options">
    /// The kind's options: <see cref="HeavyTaskKindOptions.RetryDelay"/> limits the first delay, and
    /// <see cref="HeavyTaskKindOptions.MaxRetryDelay"/> limits all delays.
    /// </param>
    /// <param name="random">The source of the jitter.</param>
    public static TimeSpan? DelayAfter(Exception error, int failures, int maxFailures, HeavyTaskKindOptions options, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        if (error is NonRetryableException || failures >= maxFailures)
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
