using System.Threading.Channels;

namespace Platform.Outbox;

/// <summary>
/// What committed in this process and is not yet confirmed and noted. Bounded where leases are given out, so that what was leased always
/// fits.
/// </summary>
internal sealed class CommittedMessages(long capacity) : IDeliverySource
{
    private readonly Channel<Delivery> channel = Channel.CreateUnbounded<Delivery>();
    private long length;

    /// <summary>Bytes that still fit.</summary>
    public long Room => capacity - Interlocked.Read(ref length);

    // With what the columns beside the body and the objects around them take.
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

    /// <summary>Nothing is added any more; what is in it can still be taken.</summary>
    public void Complete() => channel.Writer.TryComplete();
}
