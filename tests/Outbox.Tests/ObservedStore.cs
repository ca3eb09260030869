using System.Collections.Concurrent;

namespace Platform.Outbox.Tests;

/// <summary>The real store, which a test can observe and disturb.</summary>
internal sealed class ObservedStore(IOutboxStore store) : IOutboxStore
{
    private readonly ConcurrentDictionary<Guid, bool> claimed = new();
    private int claims;

    /// <summary>The number of finished looks of the sweeper.</summary>
    public int Claims => Volatile.Read(ref claims);

    /// <summary>The messages that the sweeper claimed at least once.</summary>
    public ICollection<Guid> Claimed => claimed.Keys;

    /// <summary>Called before confirmed messages are deleted.</summary>
    public Func<Guid[], Task> Deleting { get; set; } = _ => Task.CompletedTask;

    /// <summary>Called before messages are claimed.</summary>
    public Func<Task> Claiming { get; set; } = () => Task.CompletedTask;

    public Task<OutboxClaim> ClaimWaitingAsync(int limit, DateTime? from, CancellationToken cancellationToken) =>
        ClaimAsync(() => store.ClaimWaitingAsync(limit, from, cancellationToken));

    public Task<OutboxClaim> ClaimAbandonedAsync(int limit, Guid from, CancellationToken cancellationToken) =>
        ClaimAsync(() => store.ClaimAbandonedAsync(limit, from, cancellationToken));

    public async Task DeleteAsync(LeasedMessages messages, CancellationToken cancellationToken)
    {
        await Deleting(messages.Ids);
        await store.DeleteAsync(messages, cancellationToken);
    }

    public Task ReleaseAsync(LeasedMessages messages, CancellationToken cancellationToken) =>
        store.ReleaseAsync(messages, cancellationToken);

    public Task PostponeAsync(LeasedMessages messages, TimeSpan pause, bool failed, CancellationToken cancellationToken) =>
        store.PostponeAsync(messages, pause, failed, cancellationToken);

    public Task SetAsideAsync(LeasedMessages message, string error, CancellationToken cancellationToken) =>
        store.SetAsideAsync(message, error, cancellationToken);

    public Task<int> ResumeAsync(Destination destination, CancellationToken cancellationToken) =>
        store.ResumeAsync(destination, cancellationToken);

    private async Task<OutboxClaim> ClaimAsync(Func<Task<OutboxClaim>> claim)
    {
        await Claiming();
        var messages = await claim();
        foreach (var message in messages.Messages)
        {
            claimed[message.Id] = true;
        }

        Interlocked.Increment(ref claims);
        return messages;
    }
}
