using System.Threading.Channels;

namespace Platform.Outbox;

/// <summary>
/// Messages that the broker has and whose rows are to be deleted: collected for a moment, because a commit for each costs more than
/// to send it. A crash within that moment sends them again.
/// </summary>
internal sealed class ConfirmedMessages(int capacity, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // Waiting for more than these saves little.
    private readonly int enough = capacity / 2;

    private readonly Channel<Delivery> channel = Channel.CreateBounded<Delivery>(capacity);
    private TaskCompletionSource isEnough = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Adds what was confirmed. Waits while the database does not keep up: what is sent but not deleted is sent again when its lease ends.</summary>
    public async Task AddAsync(IEnumerable<Delivery> deliveries)
    {
        foreach (var delivery in deliveries)
        {
            await channel.Writer.WriteAsync(delivery);
            if (channel.Reader.Count >= enough)
            {
                Volatile.Read(ref isEnough).TrySetResult();
            }
        }
    }

    /// <summary>Waits for the first, and for those that follow soon. False when no more come.</summary>
    public async Task<bool> WaitAsync()
    {
        if (!await channel.Reader.WaitToReadAsync())
        {
            return false;
        }

        // Those that come meanwhile wake nobody: there are hundreds a second, and each would cost more than its share of the delete.
        var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref isEnough, signal);
        if (channel.Reader.Count < enough)
        {
            await signal.Task.WaitAsync(Pause, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
    public void Complete()
    {
        channel.Writer.TryComplete();
        Volatile.Read(ref isEnough).TrySetResult();
    }
}
