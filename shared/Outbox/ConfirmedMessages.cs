using System.Threading.Channels;

namespace Platform.Outbox;

/// <summary>
/// Messages that the broker has confirmed and whose rows must be deleted. They are collected for a moment, because one commit for each
/// would cost more than sending it. After a crash within that moment they are sent again.
/// </summary>
internal sealed class ConfirmedMessages(int capacity, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // To wait for more than these would save little.
    private readonly int enough = capacity / 2;

    private readonly Channel<Delivery> channel = Channel.CreateBounded<Delivery>(capacity);
    private TaskCompletionSource isEnough = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>
    /// Adds confirmed messages. Waits while the database does not keep up, because a message that is sent but not deleted is sent again
    /// when its lease ends.
    /// </summary>
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

    /// <summary>Waits for the first message and for those that follow soon. False when no more will come.</summary>
    public async Task<bool> WaitAsync()
    {
        if (!await channel.Reader.WaitToReadAsync())
        {
            return false;
        }

        // Messages that come meanwhile wake nobody: there are hundreds a second, and each wake-up would cost more than the message's share
        // of the delete.
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

    /// <summary>Ends adding; messages that are in it can still be taken.</summary>
    public void Complete()
    {
        channel.Writer.TryComplete();
        Volatile.Read(ref isEnough).TrySetResult();
    }
}
