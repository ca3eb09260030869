using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// How many tasks of a kind run at once in this process. Taken before the claim, held until the handler has returned. A limit per
/// channel would not do: after a reconnect the old channel's consumers still run when the new channel's begin.
/// </summary>
internal sealed class HeavyTaskSlots(HandledKinds kinds, IOptions<HeavyTaskOptions> options, TimeProvider time) : IDisposable
{
    // How long a delivery that came while draining is kept from the queue, so that it does not bounce back at full speed.
    private static readonly TimeSpan RequeuePause = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, KindSlots> slots = kinds.All.ToDictionary(
        kind => kind.Name,
        kind => new KindSlots(options.Value.Of(kind.Name).Concurrency, time.GetTimestamp()),
        StringComparer.Ordinal
    );

    private readonly CancellationTokenSource closing = new();

    /// <summary>Slots of all kinds.</summary>
    public int Total => slots.Values.Sum(s => s.Size);

    /// <summary>Whether no more tasks are claimed.</summary>
    public bool IsClosed => closing.IsCancellationRequested;

    /// <summary>Takes a slot; dispose it to give it back.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="cancellationToken">The delivery has ended.</param>
    /// <exception cref="OperationCanceledException">The delivery has ended, or the worker drains: the message belongs back in the queue.</exception>
    public async Task<IDisposable> TakeAsync(string kind, CancellationToken cancellationToken)
    {
        var kindSlots = slots[kind];
        using var either = CancellationTokenSource.CreateLinkedTokenSource(closing.Token, cancellationToken);
        try
        {
            await kindSlots.Semaphore.WaitAsync(either.Token);
            return new Slot(kindSlots, time);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(RequeuePause, time, CancellationToken.None);
            throw;
        }
    }

    /// <summary>No more claims from now on.</summary>
    public void Close() => closing.Cancel();

    /// <summary>Remembers that the broker delivers messages of this kind.</summary>
    public void Delivered(string kind) => slots[kind].LastDelivery = time.GetTimestamp();

    /// <summary>Slots that are taken, of all kinds.</summary>
    public int InUse => slots.Values.Sum(s => s.Size - s.Semaphore.CurrentCount);

    /// <summary>How long a kind has had a free slot and no delivery; null when it has no free slot.</summary>
    public TimeSpan? IdleTime(string kind) =>
        slots[kind] is { Semaphore.CurrentCount: > 0 } kindSlots ? time.GetElapsedTime(kindSlots.LastDelivery) : null;

    /// <inheritdoc />
    public void Dispose()
    {
        closing.Dispose();
        foreach (var kindSlots in slots.Values)
        {
            kindSlots.Semaphore.Dispose();
        }
    }

    private sealed class KindSlots(int size, long now)
    {
        private long lastDelivery = now;

        public int Size { get; } = size;

        public SemaphoreSlim Semaphore { get; } = new(size, size);

        public long LastDelivery
        {
            get => Volatile.Read(ref lastDelivery);
            set => Volatile.Write(ref lastDelivery, value);
        }
    }

    private sealed class Slot(KindSlots slots, TimeProvider time) : IDisposable
    {
        public void Dispose()
        {
            // A slot that frees up restarts the clock: the kind was busy, not starved.
            slots.LastDelivery = time.GetTimestamp();
            slots.Semaphore.Release();
        }
    }
}
