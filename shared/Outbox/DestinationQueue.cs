namespace Platform.Outbox;

/// <summary>
/// What waits in this process for one destination, sent batch by batch. Each destination has its own, so that one that does not answer
/// keeps nobody else waiting.
/// </summary>
internal sealed class DestinationQueue(Destination destination, OutboxSender sender, OutboxOptions options, TimeProvider time)
{
    // As long as it does not answer nothing is kept in memory for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Where messages come together, more follow at once, and large batches cost the broker less than many small ones. A message that
    // comes alone is not kept waiting.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private readonly Lock gate = new();
    private readonly Queue<Delivery> waiting = new();
    private bool isSending;

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

    public void Add(IEnumerable<Delivery> deliveries)
    {
        lock (gate)
        {
            foreach (var delivery in deliveries)
            {
                waiting.Enqueue(delivery);
            }

            if (!isSending)
            {
                isSending = true;
                Sending = Task.Run(SendAsync);
            }
        }
    }

    private async Task SendAsync()
    {
        while (Take() is { Count: > 0 } batch)
        {
            await SendAsync(batch);
            if (batch.Count > 1 && batch.Count < options.BatchSize)
            {
                await Task.Delay(Gathering, time, CancellationToken.None);
            }
        }
    }

    private async Task SendAsync(List<Delivery> batch)
    {
        var sending = sender.SendAsync(this, batch);
        while (!sending.IsCompleted)
        {
            await sending.WaitAsync(Patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!sending.IsCompleted)
            {
                await sender.HandBackAsync(TakeAll());
            }
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

    private List<Delivery> TakeAll()
    {
        lock (gate)
        {
            List<Delivery> all = [.. waiting];
            waiting.Clear();
            return all;
        }
    }
}
