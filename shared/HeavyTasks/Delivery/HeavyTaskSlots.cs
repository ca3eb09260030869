using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Limits how many tasks of a kind run at once in this process. A slot is taken before the claim and held until the handler has returned. A
/// limit per channel would not do: after a reconnect, consumers of the old channel still run when those of the new channel begin.
/// </summary>
internal sealed class HeavyTaskSlots(HandledKinds kinds, IOptions<HeavyTaskOptions> options, TimeProvider time) : IDisposable
{
    // How long a delivery that arrives while the worker drains is held before it returns to the queue, so that it does not bounce at full
    // speed.
    private static readonly TimeSpan RequeuePause = TimeSpan.FromSeconds(1);

    // The prefetch count equals the number of slots, so a message waits for a slot only while tasks of a lost channel or stuck handlers hold
    // them. Another worker may have a free one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, KindSlots> slots = kinds.All.ToDictionary(
        kind => kind.Name,
        kind => new KindSlots(options.Value.Of(kind.Name).Concurrency, time.GetTimestamp()),
        StringComparer.Ordinal
    );

    private readonly SemaphoreSlim suspects = new(1, 1);

    private readonly CancellationTokenSource closing = new();

    /// <summary>The number of slots of all kinds.</summary>
    public int Total => slots.Values.Sum(s => s.Size);

    /// <summary>Whether this worker has stopped claiming tasks.</summary>
    public bool IsClosed => closing.IsCancellationRequested;

    /// <summary>The kinds all of whose slots are held by handlers that do not stop.</summary>
    public IEnumerable<string> StuckKinds => slots.Where(s => s.Value.Stuck >= s.Value.Size).Select(s => s.Key);

    /// <summary>Records that a handler does not stop (1), or has returned after all (-1).</summary>
    public void Stuck(string kind, int change) => slots[kind].AddStuck(change);

    /// <summary>
    /// Takes a slot. Dispose the result to give the slot back. Null when none was free for 10 s: the message must go to somebody else.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="cancellationToken">Cancelled when the delivery has ended.</param>
    /// <exception cref="OperationCanceledException">
    /// The delivery has ended, or the worker drains: the message must go back to the queue.
    /// </exception>
    public async Task<IDisposable?> TakeAsync(string kind, CancellationToken cancellationToken)
    {
        var kindSlots = slots[kind];
        if (kindSlots.Semaphore.Wait(0, CancellationToken.None))
        {
            if (!IsClosed)
            {
                return new Slot(kindSlots, time);
            }

            kindSlots.Semaphore.Release();
        }

        using var patience = new CancellationTokenSource(Patience, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(closing.Token, cancellationToken, patience.Token);
        try
        {
            await kindSlots.Semaphore.WaitAsync(any.Token);
            return new Slot(kindSlots, time);
        }
        catch (OperationCanceledException) when (IsClosed && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(RequeuePause, time, CancellationToken.None);
            throw;
        }
        catch (OperationCanceledException) when (!IsClosed && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// Waits while the kind is paused, and until it is known which kinds are. The delivery stays with this worker meanwhile; the broker gives it
    /// no more of them than the kind has slots.
    /// </summary>
    /// <exception cref="OperationCanceledException">
    /// The delivery has ended, or the worker drains: the message must go back to the queue.
    /// </exception>
    public async Task WhilePausedAsync(string kind, CancellationToken cancellationToken)
    {
        if (slots[kind].Resumed.IsCompleted)
        {
            return;
        }

        using var any = CancellationTokenSource.CreateLinkedTokenSource(closing.Token, cancellationToken);
        try
        {
            while (!slots[kind].Resumed.IsCompleted)
            {
                await slots[kind].Resumed.WaitAsync(any.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(RequeuePause, time, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Pauses a kind, or lets it go on.</summary>
    /// <returns>Whether that is a change.</returns>
    public bool SetPaused(string kind, bool isPaused)
    {
        var changed = slots[kind].SetPaused(isPaused);
        if (changed && !isPaused)
        {
            // Until now the kind was paused and not starved.
            slots[kind].LastDelivery = time.GetTimestamp();
        }

        return changed;
    }

    /// <summary>Whether a kind is paused.</summary>
    public bool IsPaused(string kind) => !slots[kind].Resumed.IsCompleted;

    /// <summary>
    /// Takes the only place for a task that may be what kills its workers (<see cref="HeavyTaskOptions.MaxCrashes"/>). Dispose the result to
    /// give it back. Null when another such task runs in this process.
    /// </summary>
    public IDisposable? TryTakeSuspect() => suspects.Wait(0) ? new SuspectPlace(suspects) : null;

    /// <summary>Stops further claims.</summary>
    public void Close() => closing.Cancel();

    /// <summary>Remembers that the broker delivers messages of this kind.</summary>
    public void Delivered(string kind) => slots[kind].LastDelivery = time.GetTimestamp();

    /// <summary>Remembers since when the latest claimed task of this kind was queued.</summary>
    public void Claimed(string kind, DateTime? queuedAt) => slots[kind].LastQueuedAt = queuedAt ?? slots[kind].LastQueuedAt;

    /// <summary>Since when the latest claimed task of a kind was queued (UTC); null before the first claim.</summary>
    public DateTime? LastQueuedAt(string kind) => slots[kind].LastQueuedAt;

    /// <summary>The number of slots in use, of all kinds.</summary>
    public int InUse => slots.Values.Sum(s => s.Size - s.Semaphore.CurrentCount);

    /// <summary>How long a kind has had a free slot and no delivery; null when it has no free slot, or is paused.</summary>
    public TimeSpan? IdleTime(string kind) =>
        slots[kind] is { Semaphore.CurrentCount: > 0, Resumed.IsCompleted: true } kindSlots
            ? time.GetElapsedTime(kindSlots.LastDelivery)
            : null;

    /// <inheritdoc />
    public void Dispose()
    {
        closing.Dispose();
        suspects.Dispose();
        foreach (var kindSlots in slots.Values)
        {
            kindSlots.Semaphore.Dispose();
        }
    }

    private sealed class KindSlots(int size, long now)
    {
        private long lastDelivery = now;

        // Until it is known whether the kind is paused.
        private volatile TaskCompletionSource resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int stuck;
        private long lastQueuedAt;

        public DateTime? LastQueuedAt
        {
            get => Volatile.Read(ref lastQueuedAt) is > 0 and var ticks ? new DateTime(ticks, DateTimeKind.Utc) : null;
            set => Volatile.Write(ref lastQueuedAt, value?.Ticks ?? 0);
        }

        public int Stuck => Volatile.Read(ref stuck);

        public Task Resumed => resumed.Task;

        public bool SetPaused(bool isPaused)
        {
            if (isPaused != resumed.Task.IsCompleted)
            {
                return false;
            }

            if (isPaused)
            {
                resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            else
            {
                resumed.TrySetResult();
            }

            return true;
        }

        public void AddStuck(int change) => Interlocked.Add(ref stuck, change);

        public int Size { get; } = size;

        public SemaphoreSlim Semaphore { get; } = new(size, size);

        public long LastDelivery
        {
            get => Volatile.Read(ref lastDelivery);
            set => Volatile.Write(ref lastDelivery, value);
        }
    }

    private sealed class SuspectPlace(SemaphoreSlim suspects) : IDisposable
    {
        public void Dispose() => suspects.Release();
    }

    private sealed class Slot(KindSlots slots, TimeProvider time) : IDisposable
    {
        public void Dispose()
        {
            // Giving back a slot restarts the clock, because until now the kind was busy and not starved.
            slots.LastDelivery = time.GetTimestamp();
            slots.Semaphore.Release();
        }
    }
}
