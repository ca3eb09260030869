using System.Threading.Channels;

namespace Platform.Outbox;

/// <summary>One message on its way from a lease to the broker.</summary>
/// <param name="message">The message to send.</param>
/// <param name="leasedAt">A timestamp from before the lease began; null when it is not known whether the row exists.</param>
/// <param name="claimedUntil">The end of the lease if a sweep claimed the message; null if it was leased at its insert.</param>
/// <param name="source">Where the message came from.</param>
internal sealed class Delivery(OutboxMessage message, long? leasedAt, DateTime? claimedUntil, IDeliverySource source)
{
    public OutboxMessage Message => message;

    public long? LeasedAt => leasedAt;

    public DateTime? ClaimedUntil => claimedUntil;

    public Destination Destination { get; } = new(message.DestinationAddress, message.RoutingKey);

    /// <summary>Whether the message was given to a channel that has not answered yet.</summary>
    public bool IsUnderWay { get; set; }

    public DeliveryOutcome Outcome { get; set; }

    public Exception? Error { get; set; }

    /// <summary>How long the destination still rests, if <see cref="Outcome"/> says that it does.</summary>
    public TimeSpan RestLeft { get; set; }

    /// <summary>Whether this message tests the destination for all when its rest is over.</summary>
    public bool IsNextProbe { get; set; }

    /// <summary>Tells the source that the outcome is recorded, or could not be.</summary>
    public void Settle() => source.Settled(this);
}

/// <summary>Is told when a delivery is over.</summary>
internal interface IDeliverySource
{
    void Settled(Delivery delivery);
}

/// <summary>
/// Where a message goes. The routing key is part of it, because one queue may not answer while others on the same exchange do.
/// </summary>
internal readonly record struct Destination(string Address, string? RoutingKey)
{
    public override string ToString() => RoutingKey is null ? Address : $"{Address} ({RoutingKey})";
}

internal enum DeliveryOutcome
{
    /// <summary>The message was not tried: too little of its lease is left, if its row exists at all.</summary>
    NotTried,

    /// <summary>The message was not tried: its destination does not answer at this moment.</summary>
    Waiting,

    /// <summary>The message was not tried: its destination failed just before, and rests.</summary>
    Resting,

    /// <summary>There was no channel to send the message on, or the channel was lost.</summary>
    Disconnected,

    /// <summary>The message was sent, and the broker did not confirm it in time.</summary>
    Unanswered,

    /// <summary>The broker answered and refused this message. An administrator of the broker can change that.</summary>
    Refused,

    /// <summary>No broker can ever take the message, because it has no valid address, headers or properties.</summary>
    Unsendable,

    /// <summary>The broker has the message, or the message expired.</summary>
    Confirmed,
}

/// <summary>
/// The messages that committed in this process and whose outcome is not yet recorded. The bound is checked where leases are granted, so
/// leased messages always fit.
/// </summary>
internal sealed class CommittedMessages(long capacity) : IDeliverySource
{
    private readonly Channel<Delivery> channel = Channel.CreateUnbounded<Delivery>();
    private long length;

    /// <summary>The number of bytes that still fit.</summary>
    public long Room => capacity - Interlocked.Read(ref length);

    // The 1,024 bytes are for the columns besides the body, and for the objects in memory.
    public static long LengthOf(OutboxMessage message) => message.Body.Length + 1024;

    public void Add(OutboxMessage message, long? leasedAt)
    {
        if (channel.Writer.TryWrite(new Delivery(message, leasedAt, claimedUntil: null, this)))
        {
            Interlocked.Add(ref length, LengthOf(message));
        }
    }

    public ValueTask<bool> WaitAsync() => channel.Reader.WaitToReadAsync();

    public List<Delivery> Take(int limit)
    {
        var taken = new List<Delivery>();
        while (taken.Count < limit && channel.Reader.TryRead(out var delivery))
        {
            taken.Add(delivery);
        }

        return taken;
    }

    public void Settled(Delivery delivery) => Interlocked.Add(ref length, -LengthOf(delivery.Message));

    /// <summary>Ends adding; messages that are in it can still be taken.</summary>
    public void Complete() => channel.Writer.TryComplete();
}
