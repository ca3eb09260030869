using MassTransit;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>Stops reading the queues of all kinds, and begins again.</summary>
internal sealed partial class HeavyTaskReceivers(
    IBusControl bus,
    RunningAttempts runningAttempts,
    TimeProvider time,
    ILogger<HeavyTaskReceivers> logger
)
{
    // An endpoint whose loop hangs does not end at the first stop; the second one abandons it.
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    private readonly Dictionary<IReceiveEndpoint, (Task Stopped, long Since)> stops = [];
    private bool isForGood;

    /// <summary>
    /// Asks the broker for no more messages. An endpoint ends when its tasks do, so nobody waits for that here. A later delivery would be returned
    /// at once and come again, and where the broker has a delivery limit, each return counts against the message.
    /// </summary>
    /// <param name="isForGood">Whether nothing is read again, because the process ends.</param>
    public void Stop(bool isForGood = false)
    {
        lock (stops)
        {
            this.isForGood |= isForGood;
            foreach (var endpoint in bus.CheckHealth().Endpoints.Values.Where(e => HeavyTaskTopology.IsQueue(e.InputAddress)))
            {
                if (!stops.ContainsKey(endpoint.ReceiveEndpoint))
                {
                    stops.Add(endpoint.ReceiveEndpoint, (StopAsync(endpoint.ReceiveEndpoint), time.GetTimestamp()));
                }
            }
        }
    }

    /// <summary>Reads those queues again whose endpoints have ended; whether that is all of them.</summary>
    public bool TryStart()
    {
        lock (stops)
        {
            if (isForGood)
            {
                return false;
            }

            foreach (var (endpoint, (stopped, since)) in stops.ToList())
            {
                if (!stopped.IsCompleted)
                {
                    if (time.GetElapsedTime(since) > StopTimeout && !IsBusy(endpoint))
                    {
                        stops[endpoint] = (StopAsync(endpoint), time.GetTimestamp());
                    }

                    continue;
                }

                try
                {
                    endpoint.Start(CancellationToken.None);
                    stops.Remove(endpoint);
                }
                catch (InvalidOperationException exception)
                {
                    // It could not be stopped before. It is stopped again, and started in a later round.
                    NotStarted(logger, exception, endpoint.InputAddress);
                    stops[endpoint] = (StopAsync(endpoint), time.GetTimestamp());
                }
            }

            return stops.Count == 0;
        }
    }

    /// <summary>Whether an endpoint is stopped on purpose.</summary>
    public bool IsStopped(IReceiveEndpoint endpoint)
    {
        lock (stops)
        {
            return stops.ContainsKey(endpoint);
        }
    }

    /// <summary>Whether the queue of a kind is not read, on purpose.</summary>
    public bool IsStopped(string kind)
    {
        lock (stops)
        {
            return stops.Keys.Any(endpoint => HeavyTaskTopology.IsQueueOf(endpoint.InputAddress, kind));
        }
    }

    /// <summary>Starts an endpoint that somebody else has stopped, unless it was stopped on purpose meanwhile.</summary>
    public void StartUnlessStopped(IReceiveEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        lock (stops)
        {
            if (!isForGood && !stops.ContainsKey(endpoint))
            {
                endpoint.Start(CancellationToken.None);
            }
        }
    }

    // A handler that does not stop keeps its delivery, although its task is settled; nobody waits for it.
    private bool IsBusy(IReceiveEndpoint endpoint) =>
        runningAttempts.All.Any(attempt =>
            !attempt.Settled.IsCompleted && HeavyTaskTopology.IsQueueOf(endpoint.InputAddress, attempt.Kind)
        );

    private async Task StopAsync(IReceiveEndpoint endpoint)
    {
        try
        {
            await endpoint.Stop(CancellationToken.None);
        }
        catch (Exception exception)
        {
            NotStopped(logger, exception, endpoint.InputAddress);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Receive endpoint {Address} could not be stopped; it is stopped with the bus.")]
    private static partial void NotStopped(ILogger logger, Exception exception, Uri address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Receive endpoint {Address} could not be started; it is tried again.")]
    private static partial void NotStarted(ILogger logger, Exception exception, Uri address);
}
