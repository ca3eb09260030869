using System.Buffers.Binary;
using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>
/// Claims messages that nobody is sending: every second those that wait, and every ten seconds those that a dead process had in memory. It
/// may run in any number of instances; each skips rows that another is claiming, and does not wait for them.
/// </summary>
/// <remarks>
/// Each look begins where the last one ended, less the time in which a row may still appear late. Deleted rows stay in the indexes as long
/// as the database has an older reader, so looks from the beginning would walk through a backlog again for each batch. Such looks are rare.
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

    // The most batches claimed and not yet deleted: while some are sent, the next are claimed, and earlier ones are deleted.
    private const int MaxBatches = 4;

    private static readonly TimeSpan FullLookInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FullLookForAbandonedInterval = TimeSpan.FromMinutes(5);

    // How late a row may appear, compared with its own time: its transaction commits after the insert, and clocks differ.
    private static readonly TimeSpan Lateness = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LatenessOfIds = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private DateTime? from;
    private long? fullLookAt;
    private long? fullLookForAbandonedAt;
    private int outstanding;

    /// <summary>Whether none of the claimed messages is still under way.</summary>
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
            // One message shows as well as many whether the broker is back.
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

    // Limits the messages that are claimed and not yet deleted. While the broker is away, this waits for its answer.
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
