using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>Whether the broker can be reached, told by what became of messages. While it cannot, the sweeper alone tries it, with one message.</summary>
internal sealed partial class BrokerAvailability(TimeProvider time, ILogger logger)
{
    // While the bus opens another connection, nobody says that the broker is away.
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(5);

    private volatile bool isAway;
    private long? droppedAt;

    /// <summary>Whether there was no channel to the broker when last tried.</summary>
    public bool IsAway => isAway;

    /// <summary>Whether the connection was given up a moment ago.</summary>
    public bool IsReconnecting => droppedAt is { } at && time.GetElapsedTime(at) < Reconnection;

    /// <summary>The connection is given up.</summary>
    public void Dropped() => droppedAt = time.GetTimestamp();

    /// <summary>Notes what became of messages.</summary>
    /// <param name="deliveries">The messages.</param>
    /// <param name="areProbes">Sent on the probes' connection. That it is gone says nothing: it is given up after each probe that meets no answer.</param>
    public void Note(IReadOnlyCollection<Delivery> deliveries, bool areProbes)
    {
        if (deliveries.Any(d => d.Outcome is DeliveryOutcome.Confirmed or DeliveryOutcome.Refused or DeliveryOutcome.Unanswered))
        {
            if (isAway)
            {
                isAway = false;
                IsBack(logger);
            }
        }
        else if (
            !isAway
            && !areProbes
            && !IsReconnecting
            && deliveries.FirstOrDefault(d => d.Outcome == DeliveryOutcome.Disconnected) is { } disconnected
        )
        {
            isAway = true;
            WentAway(logger, disconnected.Error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker cannot be reached; messages wait in the outbox until it can.")]
    private static partial void WentAway(ILogger logger, Exception? exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The broker can be reached again.")]
    private static partial void IsBack(ILogger logger);
}
