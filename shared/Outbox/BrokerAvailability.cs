using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>
/// Tells from the outcome of messages whether the broker can be reached. While it cannot, only the sweeper tries it, with one message.
/// </summary>
internal sealed partial class BrokerAvailability(TimeProvider time, ILogger logger)
{
    // While the bus opens another connection, a lost channel does not mean that the broker is away.
    private static readonly TimeSpan Reconnection = TimeSpan.FromSeconds(5);

    // A bus that has been without a channel for so long is given another connection. The broker may be away, and then nothing is lost; or the
    // bus waits for an answer that never comes, as after a halt of this process.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private volatile bool isAway;
    private long awaySince;
    private long? droppedAt;

    /// <summary>Whether there was no channel to the broker at the last try.</summary>
    public bool IsAway => isAway;

    /// <summary>How long there has been no channel; zero when there was one at the last try.</summary>
    public TimeSpan AwayFor => isAway ? time.GetElapsedTime(Volatile.Read(ref awaySince)) : TimeSpan.Zero;

    /// <summary>Whether the connection should be dropped, because there has been no channel for long.</summary>
    public bool IsStuck => AwayFor >= Patience && (droppedAt is not { } at || time.GetElapsedTime(at) >= Patience);

    /// <summary>Whether the connection was dropped a moment ago.</summary>
    public bool IsReconnecting => droppedAt is { } at && time.GetElapsedTime(at) < Reconnection;

    /// <summary>Records that the connection is dropped.</summary>
    public void Dropped() => droppedAt = time.GetTimestamp();

    /// <summary>Records the outcome of messages.</summary>
    /// <param name="deliveries">The messages.</param>
    /// <param name="areProbes">
    /// Whether they were sent on the probes' connection. The loss of that connection says nothing about the broker: it is dropped after
    /// each probe that gets no answer.
    /// </param>
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
            Volatile.Write(ref awaySince, time.GetTimestamp());
            isAway = true;
            WentAway(logger, disconnected.Error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker cannot be reached; messages wait in the outbox until it can.")]
    private static partial void WentAway(ILogger logger, Exception? exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The broker can be reached again.")]
    private static partial void IsBack(ILogger logger);
}
