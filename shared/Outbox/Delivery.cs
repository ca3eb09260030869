namespace Platform.Outbox;

/// <summary>One message on its way from a lease to the broker.</summary>
/// <param name="message">The message.</param>
/// <param name="leasedAt">Timestamp of a moment before the lease began; null when nobody knows whether the row exists.</param>
/// <param name="claimedUntil">The end of its lease, when a sweep claimed it; null when it was leased at its insert.</param>
/// <param name="source">Where it came from.</param>
internal sealed class Delivery(OutboxMessage message, long? leasedAt, DateTime? claimedUntil, IDeliverySource source)
{
    public OutboxMessage Message => message;

    public long? LeasedAt => leasedAt;

    public DateTime? ClaimedUntil => claimedUntil;

    public Destination Destination { get; } = new(message.DestinationAddress, message.RoutingKey);

    /// <summary>It was given to a channel, and there is no answer yet.</summary>
    public bool IsUnderWay { get; set; }

    public DeliveryOutcome Outcome { get; set; }

    public Exception? Error { get; set; }

    /// <summary>How long its destination rests on, when that is the <see cref="Outcome"/>.</summary>
    public TimeSpan RestLeft { get; set; }

    /// <summary>What became of it is written down, or could not be.</summary>
    public void Settle() => source.Settled(this);
}

/// <summary>Learns when a delivery is over.</summary>
internal interface IDeliverySource
{
    void Settled(Delivery delivery);
}

/// <summary>Where a message goes. A queue that does not answer is one destination among others, also where all have the same exchange.</summary>
internal readonly record struct Destination(string Address, string? RoutingKey)
{
    public override string ToString() => RoutingKey is null ? Address : $"{Address} ({RoutingKey})";
}

internal enum DeliveryOutcome
{
    /// <summary>Not tried: too little of its lease is left, if its row exists at all.</summary>
    NotTried,

    /// <summary>Not tried: its destination does not answer at this moment.</summary>
    Waiting,

    /// <summary>Not tried: its destination failed just before, and rests.</summary>
    Resting,

    /// <summary>There was no channel to send it on, or the channel was lost.</summary>
    Disconnected,

    /// <summary>It was sent, and the broker did not confirm it in time.</summary>
    Unanswered,

    /// <summary>The broker answered, and refused this message. Who runs the broker can change that.</summary>
    Refused,

    /// <summary>No broker can ever take it: it has no valid address, headers or properties.</summary>
    Unsendable,

    /// <summary>The broker has it, or it expired.</summary>
    Confirmed,
}
