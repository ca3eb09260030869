using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.Outbox;

/// <summary>
/// Sends committed messages. This process's own messages arrive in memory right after their commit. The <see cref="OutboxSweeper"/>, which
/// also runs in this service, claims the rest: messages that a crash, a full buffer or a broker outage left behind, here or elsewhere. Each
/// message is sent at least once: after a crash between the broker's confirm and the delete it is sent again. No order is promised.
/// </summary>
internal sealed partial class OutboxRelay : IHostedLifecycleService, IDisposable
{
    private readonly CommittedMessages committed;
    private readonly OutboxMetrics metrics = new();
    private readonly OutboxPublisher publisher;
    private readonly OutboxSettlement settlement;
    private readonly OutboxSender sender;
    private readonly OutboxSweeper sweeper;
    private readonly OutboxOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<OutboxRelay> logger;
    private readonly CancellationTokenSource stopping = new();
    private Task[] sending = [];
    private Task settling = Task.CompletedTask;
    private volatile bool running;

    public OutboxRelay(
        OutboxBuses buses,
        PublishedTypes publishedTypes,
        IOutboxStore store,
        IOptions<OutboxOptions> options,
        TimeProvider time,
        ILogger<OutboxRelay> logger
    )
    {
        this.options = options.Value;
        this.time = time;
        this.logger = logger;
        committed = new CommittedMessages(this.options.BufferLength);
        publisher = new OutboxPublisher(buses, publishedTypes, this.options, time);
        settlement = new OutboxSettlement(store, Id, this.options, time, logger);
        sender = new OutboxSender(publisher, buses, settlement, store, this.options, metrics, time, logger);
        sweeper = new OutboxSweeper(sender, store, this.options, time, logger);
    }

    /// <summary>Identifies this relay in <c>lease_owner</c>; new at every process start.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    /// <summary>How many bytes of messages this relay can take now. Messages inserted beyond that get no lease.</summary>
    public long Room => running && !sender.BrokerUnavailable ? committed.Room : 0;

    /// <summary>How long there has been no channel to the broker; zero when there was one at the last try.</summary>
    internal TimeSpan BrokerAwayFor => sender.BrokerAwayFor;

    /// <summary>Whether no message waits in this process and none is under way.</summary>
    internal bool IsIdle => sender.IsIdle && sweeper.IsIdle;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // The loops must not continue the trace in which the process starts: each message has its own trace.
        using var noFlow = ExecutionContext.SuppressFlow();
        running = true;
        sending =
        [
            Task.Run(SendCommittedAsync, CancellationToken.None),
            Task.Run(() => sweeper.RunAsync(stopping.Token), CancellationToken.None),
        ];
        settling = Task.Run(settlement.RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // Stops after the services that publish and before the bus, which was registered earlier, so that messages still in memory are sent. A
    // host can be stopped twice, the second time after this object was disposed.
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        running = false;
        committed.Complete();
        if (!stopping.IsCancellationRequested)
        {
            await stopping.CancelAsync();
        }

        try
        {
            await Task.WhenAll(sending).WaitAsync(cancellationToken);
            await sender.DrainAsync().WaitAsync(cancellationToken);
            settlement.Complete();
            await settling.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            StoppedEarly(logger);
        }
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        running = false;
        committed.Complete();
        settlement.Complete();
        publisher.Dispose();
        stopping.Dispose();
        metrics.Dispose();
    }

    internal long GetTimestamp() => time.GetTimestamp();

    /// <summary>Takes a message whose transaction committed.</summary>
    internal void HandOver(OutboxMessage message, long? leasedAt) => committed.Add(message, leasedAt);

    private async Task SendCommittedAsync()
    {
        while (await committed.WaitAsync())
        {
            sender.Post(committed.Take(options.BatchSize));
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The outbox relay stopped before it had sent everything; another instance or the next start sends the rest."
    )]
    private static partial void StoppedEarly(ILogger logger);
}
