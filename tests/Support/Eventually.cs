using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Platform.Support;

/// <summary>Waits for something that another process or thread does.</summary>
public static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    /// <summary>Checks every 50 ms until the condition holds. An exception of the condition means "not yet".</summary>
    /// <param name="condition">What must become true.</param>
    /// <param name="timeout">The time after which the wait fails, after one last check of the condition.</param>
    /// <param name="description">What is awaited, for the text of the failure. Default: the source of the condition.</param>
    /// <exception cref="TimeoutException">
    /// The condition did not hold in time. The inner exception is the last exception of the condition.
    /// </exception>
    public static Task Async(
        Func<Task<bool>> condition,
        TimeSpan timeout,
        [CallerArgumentExpression(nameof(condition))] string description = ""
    )
    {
        ArgumentNullException.ThrowIfNull(condition);
        return GetAsync<object>(async () => await condition() ? true : null, timeout, description);
    }

    /// <inheritdoc cref="Async(Func{Task{bool}}, TimeSpan, string)"/>
    public static Task Async(Func<bool> condition, TimeSpan timeout, [CallerArgumentExpression(nameof(condition))] string description = "")
    {
        ArgumentNullException.ThrowIfNull(condition);
        return GetAsync<object>(() => Task.FromResult<object?>(condition() ? true : null), timeout, description);
    }

    /// <summary>Does the same until there is a value, and returns the value.</summary>
    public static async Task<T> GetAsync<T>(
        Func<Task<T?>> find,
        TimeSpan timeout,
        [CallerArgumentExpression(nameof(find))] string description = ""
    )
        where T : class
    {
        ArgumentNullException.ThrowIfNull(find);
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var last = watch.Elapsed >= timeout;
            Exception? error = null;
            try
            {
                if (await find() is { } found)
                {
                    return found;
                }
            }
            catch (Exception exception)
            {
                error = exception;
            }

            if (last)
            {
                var reason = error is null ? "" : $" The last look at it failed: {error.Message}";
                throw new TimeoutException($"Not within {timeout.TotalSeconds:0.###} s: {description}.{reason}", error);
            }

            await Task.Delay(Interval, TimeProvider.System, CancellationToken.None);
        }
    }
}
