using System.Text.Json;
using Microsoft.Extensions.Options;
using Platform.Contracts;

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

    // Where somebody lowered the number of slots, the broker delivers more than may run. Other workers have no more slots either, so a message
    // waits here as well as there, unless one of them runs empty.
    private static readonly TimeSpan LoweredPatience = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, KindSlots> slots = kinds.All.ToDictionary(
        kind => kind.Name,
        kind => new KindSlots(options.Value.Of(kind.Name).Concurrency, time.GetTimestamp()),
        StringComparer.Ordinal
    );

    private readonly SemaphoreSlim suspects = new(1, 1);

    private readonly Lock gate = new();
    private volatile CancellationTokenSource closing = new();
    private volatile bool isClosed;
    private volatile bool hasDrained;

    /// <summary>The number of slots of all kinds.</summary>
    public int Total => slots.Values.Sum(s => s.Limit);

    /// <summary>The slots of each kind: how many there are now, and how many this worker was configured with.</summary>
    public IEnumerable<KindSlotCount> Counts =>
        slots.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => new KindSlotCount(s.Key, s.Value.Limit, s.Value.Size));

    /// <summary>Whether this worker has stopped claiming tasks because its process ends.</summary>
    public bool IsClosed => isClosed;

    /// <summary>Whether this worker claims no tasks: its process ends, or somebody told it to drain.</summary>
    public bool IsDraining => closing.IsCancellationRequested;

    /// <summary>Whether it was so at any time: since then it may have refused a delivery.</summary>
    public bool HasDrained => hasDrained;

    /// <summary>The kinds all of whose slots are held by handlers that do not stop.</summary>
    public IEnumerable<string> StuckKinds => slots.Where(s => s.Value.Stuck >= s.Value.Limit).Select(s => s.Key);

    /// <summary>Records that a handler does not stop (1), or has returned after all (-1).</summary>
    public void Stuck(string kind, int change) => slots[kind].AddStuck(change);

    /// <summary>
    /// Takes a slot. Dispose the result to give the slot back. Null when none was free for 10 s, or for 1 min where somebody lowered the number of
    /// slots: the message must go to somebody else.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="cancellationToken">Cancelled when the delivery has ended.</param>
    /// <exception cref="OperationCanceledException">
    /// The delivery has ended, or the worker drains: the message must go back to the queue.
    /// </exception>
    public async Task<IDisposable?> TakeAsync(string kind, CancellationToken cancellationToken)
    {
        var kindSlots = slots[kind];
        var closed = closing;
        if (kindSlots.Semaphore.Wait(0, CancellationToken.None))
        {
            if (!closed.IsCancellationRequested)
            {
                return new Slot(kindSlots, time);
            }

            kindSlots.Release();
        }

        using var patience = new CancellationTokenSource(kindSlots.Limit < kindSlots.Size ? LoweredPatience : Patience, time);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(closed.Token, cancellationToken, patience.Token);
        try
        {
            await kindSlots.Semaphore.WaitAsync(any.Token);
            return new Slot(kindSlots, time);
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(RequeuePause, time, CancellationToken.None);
            throw;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>
    /// Sets how many tasks of a kind run at once. A lower number takes effect as tasks end; what runs goes on.
    /// </summary>
    /// <param name="kind">The kind.</param>
    /// <param name="limit">At least 1; above what this worker was configured with, it means that. Null: as configured.</param>
    /// <returns>The number that counts now, when that is a change; else null.</returns>
    public int? SetLimit(string kind, int? limit) => slots[kind].SetLimit(limit);

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

        var closed = closing;
        using var any = CancellationTokenSource.CreateLinkedTokenSource(closed.Token, cancellationToken);
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

    /// <summary>Stops further claims, for good.</summary>
    public void Close()
    {
        lock (gate)
        {
            (isClosed, hasDrained) = (true, true);
            closing.Cancel();
        }
    }

    /// <summary>Stops further claims, or lets them go on unless the worker ends.</summary>
    /// <returns>Whether that is a change.</returns>
    public bool SetDraining(bool isDraining)
    {
        lock (gate)
        {
            if (isClosed || isDraining == IsDraining)
            {
                return false;
            }

            if (isDraining)
            {
                hasDrained = true;
                closing.Cancel();
            }
            else
            {
                // Until now the kinds were not starved. The old source is left to whoever still looks at it.
                foreach (var kindSlots in slots.Values)
                {
                    kindSlots.LastDelivery = time.GetTimestamp();
                }

                closing = new CancellationTokenSource();
            }

            return true;
        }
    }

    /// <summary>Remembers that the broker delivers messages of this kind.</summary>
    public void Delivered(string kind) => slots[kind].LastDelivery = time.GetTimestamp();

    /// <summary>Remembers since when the latest claimed task of this kind was queued.</summary>
    public void Claimed(string kind, DateTime? queuedAt) => slots[kind].LastQueuedAt = queuedAt ?? slots[kind].LastQueuedAt;

    /// <summary>Since when the latest claimed task of a kind was queued (UTC); null before the first claim.</summary>
    public DateTime? LastQueuedAt(string kind) => slots[kind].LastQueuedAt;

    /// <summary>The number of slots in use, of all kinds.</summary>
    public int InUse => slots.Values.Sum(s => s.InUse);

    /// <summary>
    /// How long a kind has had a free slot and no delivery; null when it has no free slot, is paused, or the worker claims nothing.
    /// </summary>
    public TimeSpan? IdleTime(string kind) =>
        !IsDraining && slots[kind] is { Semaphore.CurrentCount: > 0, Resumed.IsCompleted: true } kindSlots
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
        private readonly Lock gate = new();
        private int stuck;
        private long lastQueuedAt;

        // Slots beyond the limit: withheld ones are taken from the semaphore, and as many as are owed follow as soon as tasks give them back.
        private int withheld;
        private int owed;

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

        /// <summary>How many slots the worker was configured with, for which its pool has connections.</summary>
        public int Size { get; } = size;

        /// <summary>How many of them may be used.</summary>
        public int Limit
        {
            get
            {
                lock (gate)
                {
                    return Size - withheld - owed;
                }
            }
        }

        public int InUse
        {
            get
            {
                lock (gate)
                {
                    return Size - withheld - Semaphore.CurrentCount;
                }
            }
        }

        public SemaphoreSlim Semaphore { get; } = new(size, size);

        public int? SetLimit(int? wanted)
        {
            lock (gate)
            {
                var limit = Math.Clamp(wanted ?? Size, 1, Size);
                var change = limit - (Size - withheld - owed);
                for (var lower = -change; lower > 0; lower--)
                {
                    if (Semaphore.Wait(0))
                    {
                        withheld++;
                    }
                    else
                    {
                        owed++;
                    }
                }

                for (var higher = change; higher > 0; higher--)
                {
                    if (owed > 0)
                    {
                        owed--;
                    }
                    else
                    {
                        withheld--;
                        Semaphore.Release();
                    }
                }

                return change == 0 ? null : limit;
            }
        }

        public void Release()
        {
            lock (gate)
            {
                if (owed > 0)
                {
                    owed--;
                    withheld++;
                    return;
                }

                Semaphore.Release();
            }
        }

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
            slots.Release();
        }
    }
}

/// <summary>The slots of a kind in one worker.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Slots">How many tasks of it may run at once now.</param>
/// <param name="Configured">How many may at most (<see cref="HeavyTaskKindOptions.Concurrency"/>).</param>
internal sealed record KindSlotCount(string Kind, int Slots, int Configured)
{
    // With more kinds the row of an instance says nothing of them.
    private const int MaxCount = 500;

    /// <summary>Writes the slots for the row of an instance; null when there are none.</summary>
    public static string? Write(IEnumerable<KindSlotCount>? counts) =>
        counts?.ToList() is { Count: > 0 and <= MaxCount } list ? JsonSerializer.Serialize(list, HeavyTaskJson.Options) : null;

    /// <summary>Reads them again. What another version has written otherwise counts as nothing.</summary>
    public static IReadOnlyList<KindSlotCount> Read(string? json)
    {
        try
        {
            return json is null ? [] : JsonSerializer.Deserialize<KindSlotCount[]>(json, HeavyTaskJson.Options) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
