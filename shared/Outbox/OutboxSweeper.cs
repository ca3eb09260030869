using System.Buffers.Binary;
using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>
/// Claims messages that nobody is sending: those that wait, every second, and those that a process which is gone had in memory, every ten.
/// Any instance may; rows under claim elsewhere are skipped, not waited for.
/// </summary>
/// <remarks>
/// Each look begins where the last one ended, less what may still come late, because deleted rows stay in the indexes as long as the
/// database has a reader that began before: a backlog would be walked again for each batch. Looks from the very beginning are rare.
/// </remarks>
internal sealed partial class OutboxSweeper(
    OutboxSender sender,
    IOutboxStore store,
    OutboxOptions options,
    TimeProvider time,
    ILogger logger
) : IDeliverySource
{
    private const int SweepsPerLookForAbandoned = 10;

    // Claimed, and not yet deleted: while some are sent, others are claimed, and those that were sent before are deleted.
    private const int MaxBatches = 4;

    private static readonly TimeSpan FullLookInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FullLookForAbandonedInterval = TimeSpan.FromMinutes(5);

    // How late a row may appear, by the clock that its time is from: a transaction commits after it inserted, and clocks differ.
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LatenessOfIds = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private DateTime? from;
    private long? fullLookAt;
    private long? fullLookForAbandonedAt;
    private int outstanding;

    /// <summary>Whether nothing that it claimed is still under way.</summary>
    public bool IsIdle => Volatile.Read(ref outstanding) == 0;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        try
        {
            for (var sweep = 0; ; sweep++)
            {
                try
                {
                    await SweepAsync(cancellationToken);
                    if (sweep % SweepsPerLookForAbandoned == 0 && !sender.BrokerUnavailable)
                    {
                        await LookForAbandonedAsync(cancellationToken);
                    }
                }
                catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
                {
                    SweepFailed(logger, exception);
                }

                await timer.WaitForNextTickAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested) { }
    }

    public void Settled(Delivery delivery) => Interlocked.Decrement(ref outstanding);

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (IsOver(ref fullLookAt, FullLookInterval))
        {
            from = null;
        }

        OutboxClaim claim;
        do
        {
            // One message finds out as well as many whether the broker is back.
            await RoomAsync(cancellationToken);
            claim = await ClaimAsync(
                limit => store.ClaimWaitingAsync(limit, from - Lateness, cancellationToken),
                sender.BrokerUnavailable ? 1 : options.BatchSize
            );
            from = claim.LastDueAt ?? from;
        } while (claim.Messages.Count > 0 && !sender.BrokerUnavailable);
    }

    private async Task LookForAbandonedAsync(CancellationToken cancellationToken)
    {
        var after = IsOver(ref fullLookForAbandonedAt, FullLookForAbandonedInterval)
            ? Guid.Empty
            : FirstIdOf(time.GetUtcNow() - OutboxModel.Lease - (SweepsPerLookForAbandoned * options.SweepInterval) - LatenessOfIds);
        for (Guid? last = after; last is { } id; )
        {
            await RoomAsync(cancellationToken);
            last = (await ClaimAsync(limit => store.ClaimAbandonedAsync(limit, id, cancellationToken), options.BatchSize)).LastId;
        }
    }

    private async Task<OutboxClaim> ClaimAsync(Func<int, Task<OutboxClaim>> claimUpTo, int limit)
    {
        var leasedAt = time.GetTimestamp();
        var claim = await claimUpTo(limit);
        Interlocked.Add(ref outstanding, claim.Messages.Count);
        sender.Post(claim.Messages.Select(m => new Delivery(m, leasedAt, claim.Until, this)));
        return claim;
    }

    // Bounds what is claimed and not yet deleted; and while the broker is away, its answer is waited for.
    private async Task RoomAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref outstanding) > (sender.BrokerUnavailable ? 0 : MaxBatches * options.BatchSize))
        {
            await Task.Delay(Look, time, cancellationToken);
        }
    }

    private bool IsOver(ref long? since, TimeSpan interval)
    {
        if (since is { } start && time.GetElapsedTime(start) < interval)
        {
            return false;
        }

        since = time.GetTimestamp();
        return true;
    }

    // A version 7 id begins with the milliseconds since 1970 (RFC 9562, 5.7).
    private static Guid FirstIdOf(DateTimeOffset moment)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteInt64BigEndian(bytes, moment.ToUnixTimeMilliseconds() << 16);
        return new Guid(bytes, bigEndian: true);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A sweep of the outbox failed; the next one follows.")]
    private static partial void SweepFailed(ILogger logger, Exception exception);
}
