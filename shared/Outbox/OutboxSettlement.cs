using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>Writes down what became of messages. What the database does not take in time is sent again when its lease ends.</summary>
internal sealed partial class OutboxSettlement(IOutboxStore store, Guid relay, OutboxOptions options, TimeProvider time, ILogger logger)
{
    // A pool in use by others may refuse a connection for a while.
    private const int Tries = 4;

    private const int BatchesPerDelete = 5;

    // Of one statement.
    private const int MaxIds = 1_000;

    // For what was not tried because its destination did not answer at that moment.
    private static readonly TimeSpan ShortPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private readonly ConfirmedMessages confirmed = new(options.BatchSize * BatchesPerDelete, time);

    /// <summary>Deletes what was confirmed until <see cref="Complete"/>.</summary>
    public async Task RunAsync()
    {
        while (await confirmed.WaitAsync())
        {
            var deliveries = confirmed.Take();
            await TryAsync(deliveries, leased => store.DeleteAsync(leased, CancellationToken.None));
            Settled(deliveries);
        }
    }

    /// <summary>No more is confirmed; what was is still deleted.</summary>
    public void Complete() => confirmed.Complete();

    /// <summary>Notes the outcome of messages. Waits while the database does not keep up with what is confirmed.</summary>
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
                // One of them comes back when the rest is over, and finds out for all of them. The others follow, and later each time.
                var rest = deliveries[0].RestLeft + Moment;
                await TryAsync(deliveries[..1], leased => store.PostponeAsync(leased, rest, failed: false, CancellationToken.None));
                await TryAsync(
                    deliveries[1..],
                    leased =>
                        store.PostponeAsync(leased, rest + Moment < Pause ? rest + Moment : Pause, failed: true, CancellationToken.None)
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
