namespace Platform.Outbox;

/// <summary>One message on its way from a lease to the broker.</summary>
/// <param name="message">The message.</param>
/// <param name="leasedAt">Timestamp of a moment before the lease began; null when nobody knows whether the row exists.</param>
internal sealed class Delivery(OutboxMessage message, long? leasedAt)
{
    public OutboxMessage Message => message;

    public long? LeasedAt => leasedAt;

    public DeliveryOutcome Outcome { get; set; }

    public Exception? Error { get; set; }
}

internal enum DeliveryOutcome
{
    /// <summary>Not tried: too little of its lease is left, if its row exists at all.</summary>
    NotTried,

    /// <summary>The broker did not answer: it is down, or the channel was closed.</summary>
    Unanswered,

    /// <summary>The broker answered, and refused this message. Who runs the broker can change that.</summary>
    Refused,

    /// <summary>No broker can ever take it: it has no valid address, headers or properties.</summary>
    Unsendable,

    /// <summary>The broker has it, or it expired.</summary>
    Confirmed,
}
