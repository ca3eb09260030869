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

    /// <summary>Bytes of messages that this relay can take now; what is inserted beyond it belongs to nobody.</summary>
    public long Room => running && !sender.BrokerUnavailable ? committed.Room : 0;

    /// <summary>Whether nothing waits in this process and nothing is under way.</summary>
    internal bool IsIdle => sender.IsIdle && sweeper.IsIdle;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // The loops must not continue whatever trace the start of the process belongs to: each message has its own.
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

    // After the services that publish, and before the bus, which was registered earlier: what they left in memory still goes out.
    // A host can be stopped twice, the second time after this was disposed.
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
