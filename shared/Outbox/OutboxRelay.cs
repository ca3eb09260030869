using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.Outbox;

/// <summary>
/// Sends committed messages. Those of this process arrive in memory, right after their commit; the rest (left behind by a crash,
/// a full buffer or a broker outage, here or elsewhere) are claimed by the <see cref="OutboxSweeper"/>, which runs in this service too.
/// At least once: a crash between the broker's confirm and the delete sends a message again. No order is promised.
/// </summary>
public sealed partial class OutboxRelay : IHostedLifecycleService, IDisposable
{
    // A pool in use by others may refuse a connection for a while; what is not deleted in time is sent again.
    private const int SettleTries = 4;

    private const int BatchesPerDelete = 5;

    // Where messages come together, more follow at once, and large batches cost the broker less than many small ones. A message that
    // comes alone is not kept waiting.
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(10);

    private readonly OutboxBuffer buffer;
    private readonly ConfirmedMessages confirmed;
    private readonly OutboxMetrics metrics = new();
    private readonly OutboxPublisher publisher;
    private readonly IOutboxStore store;
    private readonly OutboxOptions options;
    private readonly OutboxSweeper sweeper;
    private readonly TimeProvider time;
    private readonly ILogger<OutboxRelay> logger;
    private readonly SemaphoreSlim turn = new(1);
    private readonly CancellationTokenSource stopping = new();
    private Task[] sending = [];
    private Task deleting = Task.CompletedTask;
    private volatile bool running;
    private volatile bool brokerUnavailable;

    internal OutboxRelay(
        IBus bus, PublishedTypes publishedTypes, IOutboxStore store, IOptions<OutboxOptions> options, TimeProvider time, ILogger<OutboxRelay> logger)
    {
        this.options = options.Value;
        this.store = store;
        this.time = time;
        this.logger = logger;
        buffer = new OutboxBuffer(this.options.BufferLength);
        confirmed = new ConfirmedMessages(this.options.BatchSize * BatchesPerDelete, time);
        publisher = new OutboxPublisher(bus, publishedTypes, this.options, time);
        sweeper = new OutboxSweeper(this, store, this.options, time, logger);
    }

    /// <summary>Identifies this relay in <c>lease_owner</c>; new at every process start.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    /// <summary>Whether the broker did not answer when last tried.</summary>
    internal bool BrokerUnavailable => brokerUnavailable;

    /// <summary>Bytes of messages that this relay can take now; what is inserted beyond it belongs to nobody.</summary>
    internal long Room => running && !brokerUnavailable ? buffer.Room : 0;

    /// <inheritdoc />
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // The loops must not continue whatever trace the start of the process belongs to: each message has its own.
        using var noFlow = ExecutionContext.SuppressFlow();
        running = true;
        sending = [Task.Run(SendCommittedAsync, CancellationToken.None), Task.Run(() => sweeper.RunAsync(stopping.Token), CancellationToken.None)];
        deleting = Task.Run(DeleteConfirmedAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // After the services that publish, and before the bus, which was registered earlier: what they left in memory still goes out.
    // A host can be stopped twice, the second time after this was disposed.
    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        running = false;
        buffer.Complete();
        if (!stopping.IsCancellationRequested)
        {
            await stopping.CancelAsync();
        }

        try
        {
            await Task.WhenAll(sending).WaitAsync(cancellationToken);
            confirmed.Complete();
            await deleting.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            StoppedEarly(logger);
        }
    }

    /// <inheritdoc />
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public void Dispose()
    {
        running = false;
        buffer.Complete();
        confirmed.Complete();
        stopping.Dispose();
        turn.Dispose();
        metrics.Dispose();
    }

    internal long GetTimestamp() => time.GetTimestamp();

    internal void HandOver(Delivery delivery) => buffer.Add(delivery);

    /// <summary>Sends messages that this relay leased, and writes down what became of them.</summary>
    internal async Task DeliverAsync(IReadOnlyList<Delivery> deliveries)
    {
        // One batch at a time, or a message that the broker refuses would take those of another batch with it.
        await turn.WaitAsync();
        try
        {
            await publisher.SendAsync(deliveries);
        }
        finally
        {
            turn.Release();
        }

        metrics.Sent(deliveries, time.GetUtcNow());
        NoteAvailability(deliveries);
        await SettleAsync(deliveries);
    }

    private async Task SettleAsync(IReadOnlyList<Delivery> deliveries)
    {
        foreach (var outcome in deliveries.GroupBy(d => d.Outcome))
        {
            if (outcome.Key == DeliveryOutcome.Confirmed)
            {
                await confirmed.AddAsync(outcome.Select(d => d.Message.Id));
            }
            else
            {
                await TryAsync(() => SettleAsync(outcome.Key, [.. outcome]));
            }
        }
    }

    private async Task TryAsync(Func<Task> settle)
    {
        for (var tried = 1; ; tried++)
        {
            try
            {
                await settle();
                return;
            }
            catch (Exception exception) when (tried < SettleTries)
            {
                NotSettledYet(logger, exception);
                await Task.Delay(TimeSpan.FromSeconds(tried), time, CancellationToken.None);
            }
        }
    }

    private async Task DeleteConfirmedAsync()
    {
        while (await confirmed.WaitAsync())
        {
            var ids = confirmed.Take();
            try
            {
                await TryAsync(() => store.DeleteAsync(ids, Id, CancellationToken.None));
            }
            catch (Exception exception)
            {
                NotSettled(logger, ids.Length, exception);
            }
        }
    }

    private async Task SendCommittedAsync()
    {
        while (await buffer.WaitAsync())
        {
            var deliveries = buffer.Take(options.BatchSize);
            try
            {
                // While the broker is away the sweeper alone tries it, with one message.
                await (brokerUnavailable ? SettleAsync(deliveries) : DeliverAsync(deliveries));
            }
            catch (Exception exception)
            {
                // The database did not take the outcome: the leases end and the sweeper sends them, perhaps again.
                NotSettled(logger, deliveries.Count, exception);
            }

            if (deliveries.Count > 1 && deliveries.Count < options.BatchSize)
            {
                await Task.Delay(Gathering, time, CancellationToken.None);
            }
        }
    }

    private void NoteAvailability(IReadOnlyList<Delivery> deliveries)
    {
        if (deliveries.Any(d => d.Outcome is DeliveryOutcome.Confirmed or DeliveryOutcome.Refused))
        {
            if (brokerUnavailable)
            {
                brokerUnavailable = false;
                BrokerIsBack(logger);
            }
        }
        else if (!brokerUnavailable && deliveries.FirstOrDefault(d => d.Outcome == DeliveryOutcome.Unanswered) is { } unanswered)
        {
            brokerUnavailable = true;
            BrokerIsAway(logger, unanswered.Error);
        }
    }

    private async Task SettleAsync(DeliveryOutcome outcome, Delivery[] deliveries)
    {
        var ids = Array.ConvertAll(deliveries, d => d.Message.Id);
        switch (outcome)
        {
            case DeliveryOutcome.Refused:
                // Without an error: not even tried, because its destination was refused just before.
                foreach (var destination in deliveries.Where(d => d.Error is not null).GroupBy(d => d.Message.DestinationAddress))
                {
                    Refused(logger, destination.Count(), destination.Key, destination.First().Error!);
                }

                await store.PostponeAsync(ids, Id, CancellationToken.None);
                break;
            case DeliveryOutcome.Unsendable:
                foreach (var (message, error) in deliveries.Select(d => (d.Message, d.Error!)))
                {
                    SetAside(logger, message.Id, message.DestinationAddress, error);
                    await store.SetAsideAsync(message.Id, Id, error.ToString(), CancellationToken.None);
                }

                break;
            default:
                await store.ReleaseAsync(ids, Id, CancellationToken.None);
                break;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker does not answer; messages wait in the outbox until it does.")]
    private static partial void BrokerIsAway(ILogger logger, Exception? exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "The broker answers again.")]
    private static partial void BrokerIsBack(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "The broker refused {Count} outbox messages to {Destination}; they are tried again later.")]
    private static partial void Refused(ILogger logger, int count, string destination, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Outbox message {MessageId} to {Destination} is set aside: nothing can send it.")]
    private static partial void SetAside(ILogger logger, Guid messageId, string destination, Exception exception);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The outcome of outbox messages could not be written; trying again.")]
    private static partial void NotSettledYet(ILogger logger, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of {Count} outbox messages could not be written; they may be sent again.")]
    private static partial void NotSettled(ILogger logger, int count, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox relay stopped before it had sent everything; another instance or the next start sends the rest.")]
    private static partial void StoppedEarly(ILogger logger);
}
