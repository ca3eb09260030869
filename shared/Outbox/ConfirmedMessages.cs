using System.Threading.Channels;

namespace Platform.Outbox;

/// <summary>
/// Messages that the broker has and whose rows are to be deleted: collected for a moment, because a commit for each costs more than
/// to send it. A crash within that moment sends them again.
/// </summary>
internal sealed class ConfirmedMessages(int capacity, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    // Waiting for more than these saves little.
    private readonly int enough = capacity / 2;

    private readonly Channel<Delivery> channel = Channel.CreateBounded<Delivery>(capacity);

    /// <summary>Adds what was confirmed. Waits while the database does not keep up: what is sent but not deleted is sent again when its lease ends.</summary>
    public async Task AddAsync(IEnumerable<Delivery> deliveries)
    {
        foreach (var delivery in deliveries)
        {
            await channel.Writer.WriteAsync(delivery);
        }
    }

    /// <summary>Waits for the first, and for those that follow soon. False when no more come.</summary>
    public async Task<bool> WaitAsync()
    {
        if (!await channel.Reader.WaitToReadAsync())
        {
            return false;
        }

        for (var start = time.GetTimestamp(); channel.Reader.Count < enough && time.GetElapsedTime(start) < Pause;)
        {
            await Task.Delay(Look, time, CancellationToken.None);
        }

        return true;
    }

    public List<Delivery> Take()
    {
        var taken = new List<Delivery>();
        while (taken.Count < capacity && channel.Reader.TryRead(out var delivery))
        {
            taken.Add(delivery);
        }

        return taken;
    }

    /// <summary>Nothing is added any more; what is in it can still be taken.</summary>
    public void Complete() => channel.Writer.TryComplete();
}
