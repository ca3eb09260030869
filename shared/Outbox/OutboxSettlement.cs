using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>
/// Records the outcome of messages in the database. A message whose outcome cannot be recorded in time is sent again when its lease ends.
/// </summary>
internal sealed partial class OutboxSettlement(IOutboxStore store, Guid relay, OutboxOptions options, TimeProvider time, ILogger logger)
{
    // A pool that others use may refuse a connection for a while.
    private const int Tries = 4;

    private const int BatchesPerDelete = 5;

    // The most ids in one statement.
    private const int MaxIds = 1_000;

    // For messages that were not tried because their destination did not answer at that moment.
    private static readonly TimeSpan ShortPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly ConfirmedMessages confirmed = new(options.BatchSize * BatchesPerDelete, time);

    /// <summary>Deletes confirmed messages until <see cref="Complete"/> is called.</summary>
    public async Task RunAsync()
    {
        while (await confirmed.WaitAsync())
        {
            var deliveries = confirmed.Take();
            await TryAsync(deliveries, leased => store.DeleteAsync(leased, CancellationToken.None));
            Settled(deliveries);
        }
    }

    /// <summary>Ends the stream of confirmed messages; those already added are still deleted.</summary>
    public void Complete() => confirmed.Complete();

    /// <summary>Records the outcome of messages. Waits while the database does not keep up with the confirmed messages.</summary>
    public async Task SettleAsync(IEnumerable<Delivery> deliveries)
    {
        foreach (var outcome in deliveries.GroupBy(d => d.Outcome))
        {
            if (outcome.Key == DeliveryOutcome.Confirmed)
            {
                await confirmed.AddAsync(outcome);
                continue;
            }

            var settled = outcome.ToList();
            await SettleAsync(outcome.Key, settled);
            Settled(settled);
        }
    }

    private static void Settled(IEnumerable<Delivery> deliveries)
    {
        foreach (var delivery in deliveries)
        {
            delivery.Settle();
        }
    }

    private async Task SettleAsync(DeliveryOutcome outcome, List<Delivery> deliveries)
    {
        switch (outcome)
        {
            case DeliveryOutcome.Unsendable:
                foreach (var delivery in deliveries)
                {
                    SetAside(logger, delivery.Message.Id, delivery.Destination, delivery.Error!);
                    await TryAsync([delivery], leased => store.SetAsideAsync(leased, delivery.Error!.ToString(), CancellationToken.None));
                }

                break;
            case DeliveryOutcome.Waiting:
                await TryAsync(deliveries, leased => store.PostponeAsync(leased, ShortPause, failed: false, CancellationToken.None));
                break;
            case DeliveryOutcome.Resting:
                // One message becomes due when the rest is over, and tests the destination for all. The others follow, later each time. They
                // follow it, because a message that is first by chance would leave this one to wait for the next rest.
                var rest = deliveries[0].RestLeft;
                var others = (rest < Pause ? rest : Pause) + (2 * Moment);
                await TryAsync(
                    [.. deliveries.Where(d => d.IsNextProbe)],
                    leased => store.PostponeAsync(leased, rest + Moment, failed: false, CancellationToken.None)
                );
                await TryAsync(
                    [.. deliveries.Where(d => !d.IsNextProbe)],
                    leased => store.PostponeAsync(leased, others, failed: true, CancellationToken.None)
                );
                break;
            case DeliveryOutcome.Unanswered or DeliveryOutcome.Refused:
                await TryAsync(deliveries[..1], leased => store.PostponeAsync(leased, ShortPause, failed: true, CancellationToken.None));
                await TryAsync(deliveries[1..], leased => store.PostponeAsync(leased, Pause, failed: true, CancellationToken.None));
                break;
            default:
                await TryAsync(deliveries, leased => store.ReleaseAsync(leased, CancellationToken.None));
                break;
        }
    }

    private async Task TryAsync(List<Delivery> deliveries, Func<LeasedMessages, Task> settle)
    {
        foreach (var chunk in deliveries.Chunk(MaxIds))
        {
            await TryChunkAsync(chunk, settle);
        }
    }

    private async Task TryChunkAsync(Delivery[] deliveries, Func<LeasedMessages, Task> settle)
    {
        var leased = new LeasedMessages(
            [.. deliveries.Select(d => d.Message.Id)],
            relay,
            [.. deliveries.Where(d => d.ClaimedUntil.HasValue).Select(d => d.ClaimedUntil!.Value).Distinct()]
        );
        for (var tried = 1; ; tried++)
        {
            try
            {
                await settle(leased);
                return;
            }
            catch (Exception exception) when (tried < Tries)
            {
                NotSettledYet(logger, exception);
                await Task.Delay(TimeSpan.FromSeconds(tried), time, CancellationToken.None);
            }
            catch (Exception exception)
            {
                NotSettled(logger, deliveries.Length, exception);
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Outbox message {MessageId} to {Destination} is set aside: nothing can send it.")]
    private static partial void SetAside(ILogger logger, Guid messageId, Destination destination, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The outcome of outbox messages could not be written; trying again.")]
    private static partial void NotSettledYet(ILogger logger, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The outcome of {Count} outbox messages could not be written; they may be sent again."
    )]
    private static partial void NotSettled(ILogger logger, int count, Exception exception);
}
