using System.Data.Common;
using System.Net.Sockets;
using RabbitMQ.Client.Exceptions;

namespace Platform.Runner;

/// <summary>How long the runner waits: long enough for a slow machine that others use too, but never forever.</summary>
internal static class Patience
{
    /// <summary>The limit for work that goes on, such as a queue that is being worked off.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <summary>The limit for a service to start or to end.</summary>
    public static readonly TimeSpan ProcessLimit = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan TryLimit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TryPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Tries again for a minute when a server was not reached or did not answer in time. Only for actions that may be done twice.
    /// </summary>
    public static async Task<T> TryAsync<T>(Func<Task<T>> action)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                return await action();
            }
            catch (Exception exception) when (IsTransient(exception) && TimeProvider.System.GetElapsedTime(start) < TryLimit)
            {
                Console.Error.WriteLine($"Tried again after: {exception.Message}");
                await Task.Delay(TryPause, TimeProvider.System, CancellationToken.None);
            }
        }
    }

    /// <summary>Checks a condition until it holds, every 20 ms unless told otherwise.</summary>
    /// <exception cref="TimeoutException">The condition did not hold in time.</exception>
    public static async Task WaitAsync(Func<Task<bool>> condition, string what, TimeSpan limit, TimeSpan? interval = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > limit)
            {
                throw new TimeoutException($"No {what} within {limit.TotalSeconds} s.");
            }

            await Task.Delay(interval ?? PollInterval, TimeProvider.System, CancellationToken.None);
        }
    }

    private static bool IsTransient(Exception exception) =>
        exception
            is DbException { IsTransient: true }
                or DbException { InnerException: TimeoutException or IOException or SocketException }
                or TimeoutException
                or IOException
                or SocketException
                or OperationCanceledException
                or RabbitMQClientException;
}
