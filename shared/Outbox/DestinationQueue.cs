namespace Platform.Outbox;

/// <summary>
/// What waits in this process for one destination, sent batch by batch. Each destination has its own, so that one that does not answer
/// keeps nobody else waiting.
/// </summary>
internal sealed class DestinationQueue(Destination destination, OutboxSender sender, OutboxOptions options, TimeProvider time)
{
    // Messages to one queue that stand still, and with which the broker goes on reading (BusConnection).
    private const int MaxStanding = 30;

    // As long as it does not answer nothing is kept in memory for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Twice without an answer in between is a stand. Once may be this process that stood still.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // Where messages come together, more follow at once, and large batches cost the broker less than many small ones. A message that
    // comes alone is not kept waiting.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    // Where this many come together, more are not waited for.
    private const int Many = 30;

    private readonly Lock gate = new();
    private readonly Queue<Delivery> waiting = new();
    private bool isSending;
    private bool isSilent;

    public Destination Destination => destination;

    public DestinationHealth Health { get; } = new(time);

    /// <summary>Ends when nothing waits any more.</summary>
    public Task Sending { get; private set; } = Task.CompletedTask;

    /// <summary>Whether nothing waits and nothing is under way.</summary>
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
    /// <returns>False: they are to be given back, because the destination does not answer at this moment.</returns>
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

            // In the same breath, so that whoever adds now starts the next one.
            isSending = batch.Count > 0;
            return batch;
        }
    }

    // From now on nothing is kept here until there is an answer.
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
