namespace Platform.Outbox;

/// <summary>
/// The messages that wait in this process for one destination, sent batch by batch. Each destination has its own queue, so that one that
/// does not answer does not delay the others.
/// </summary>
internal sealed class DestinationQueue(Destination destination, OutboxSender sender, OutboxOptions options, TimeProvider time)
{
    // The most unanswered messages to one queue with which the broker still reads from the connection (BusConnection).
    private const int MaxStanding = 30;

    // After this time without an answer, no more messages for the destination are kept in memory.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Two looks without an answer in between mean that the destination stands still. After one, it may have been this process.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // Where messages come together, more follow at once, and a large batch costs the broker less than many small ones. A message that comes
    // alone does not wait.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    // A batch of this size does not wait for more messages.
    private const int Many = 30;

    private readonly Lock gate = new();
    private readonly Queue<Delivery> waiting = new();
    private bool isSending;
    private bool isSilent;

    public Destination Destination => destination;

    public DestinationHealth Health { get; } = new(time);

    /// <summary>The task that sends; it completes when no message waits any more.</summary>
    public Task Sending { get; private set; } = Task.CompletedTask;

    /// <summary>Whether no message waits and none is under way.</summary>
    public bool IsIdle
    {
        get
        {
            lock (gate)
            {
                return !isSending;
            }
        }
    }

    /// <summary>Takes messages to send.</summary>
    /// <returns>False when the caller must give the messages back, because the destination does not answer at this moment.</returns>
    public bool TryAdd(IEnumerable<Delivery> deliveries)
    {
        lock (gate)
        {
            if (isSilent)
            {
                return false;
            }

            foreach (var delivery in deliveries)
            {
                waiting.Enqueue(delivery);
            }

            if (!isSending)
            {
                isSending = true;
                Sending = Task.Run(SendAsync);
            }

            return true;
        }
    }

    private async Task SendAsync()
    {
        while (Take() is { Count: > 0 } batch)
        {
            await SendAsync(batch);
            if (batch.Count is > 1 and < Many)
            {
                await Task.Delay(Gathering, time, CancellationToken.None);
            }
        }
    }

    private async Task SendAsync(List<Delivery> batch)
    {
        var sending = sender.SendAsync(this, batch);
        var (start, standing) = (time.GetTimestamp(), batch.Count + 1);
        while (!sending.IsCompleted)
        {
            await sending.WaitAsync(Look, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (sending.IsCompleted)
            {
                break;
            }

            var before = standing;
            standing = batch.Count(d => d.IsUnderWay);
            if (standing == before && standing > MaxStanding)
            {
                sender.Suspect(this, standing);
            }

            if (time.GetElapsedTime(start) >= Patience)
            {
                await sender.HandBackAsync(TakeAll());
            }
        }

        lock (gate)
        {
            isSilent = false;
        }

        await sender.SettleAsync(batch);
    }

    private List<Delivery> Take()
    {
        lock (gate)
        {
            var limit = Health.RestLeft > TimeSpan.Zero || Health.IsProven ? options.BatchSize : 1;
            var batch = new List<Delivery>();
            while (batch.Count < limit && waiting.TryDequeue(out var delivery))
            {
                batch.Add(delivery);
            }

            // Set under the same lock, so that whoever adds a message now starts to send again.
            isSending = batch.Count > 0;
            return batch;
        }
    }

    // From now on no message is kept here until the destination answers.
    private List<Delivery> TakeAll()
    {
        lock (gate)
        {
            List<Delivery> all = [.. waiting];
            waiting.Clear();
            isSilent = true;
            return all;
        }
    }
}
