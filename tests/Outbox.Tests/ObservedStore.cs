using System.Collections.Concurrent;

namespace Platform.Outbox.Tests;

/// <summary>The real store, whose use can be seen and disturbed.</summary>
internal sealed class ObservedStore(IOutboxStore store) : IOutboxStore
{
    private readonly ConcurrentDictionary<Guid, bool> claimed = new();
    private int claims;

    /// <summary>Finished looks of the sweeper.</summary>
    public int Claims => Volatile.Read(ref claims);

    /// <summary>Messages that the sweeper claimed at least once.</summary>
    public ICollection<Guid> Claimed => claimed.Keys;

    /// <summary>Called before confirmed messages are deleted.</summary>
    public Func<Guid[], Task> Deleting { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called before messages are claimed.</summary>
    public Func<Task> Claiming { get; set; } = () => Task.CompletedTask;

    public async Task<IReadOnlyList<OutboxMessage>> ClaimAsync(Guid relay, int limit, CancellationToken cancellationToken)
    {
        await Claiming();
        var messages = await store.ClaimAsync(relay, limit, cancellationToken);
        foreach (var message in messages)
        {
            claimed[message.Id] = true;
        }

        Interlocked.Increment(ref claims);
        return messages;
    }

    public async Task DeleteAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken)
    {
        await Deleting(ids);
        await store.DeleteAsync(ids, relay, cancellationToken);
    }

    public Task ReleaseAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken) => store.ReleaseAsync(ids, relay, cancellationToken);

    public Task PostponeAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken) => store.PostponeAsync(ids, relay, cancellationToken);

    public Task SetAsideAsync(Guid id, Guid relay, string error, CancellationToken cancellationToken) =>
        store.SetAsideAsync(id, relay, error, cancellationToken);

    public Task VacuumAsync(CancellationToken cancellationToken) => store.VacuumAsync(cancellationToken);
}
