using System.Diagnostics;
using System.Threading.Channels;
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
public sealed partial class OutboxRelay : IHostedLifecycleService, IAsyncDisposable
{
    // A batch whose messages waited longer than this in memory is left to the sweeper: their lease may end before the confirm.
    private static readonly TimeSpan MaxWait = OutboxModel.Lease - TimeSpan.FromSeconds(21);

    private readonly Channel<(OutboxMessage Message, long HandedOverAt)> buffer;
    private readonly OutboxPublisher publisher;
    private readonly IOutboxStore store;
    private readonly OutboxOptions options;
    private readonly OutboxSweeper sweeper;
    private readonly TimeProvider time;
    private readonly ILogger<OutboxRelay> logger;
    private readonly CancellationTokenSource stopping = new();
    private Task[] loops = [];
    private int inFlight;
    private volatile bool accepting;
    private volatile bool brokerUnavailable;

    /// <summary>For dependency injection.</summary>
    public OutboxRelay(IBus bus, IOutboxStore store, IOptions<OutboxOptions> options, TimeProvider time, ILogger<OutboxRelay> logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options.Value;
        this.store = store;
        this.time = time;
        this.logger = logger;
        publisher = new OutboxPublisher(bus, time);
        sweeper = new OutboxSweeper(this, store, this.options, time, logger);
        buffer = Channel.CreateBounded<(OutboxMessage, long)>(this.options.BufferSize);
    }

    /// <summary>Identifies this relay in <c>lease_owner</c>; new at every process start.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    internal DateTime UtcNow => time.GetUtcNow().UtcDateTime;

    /// <summary>Messages handed over and not yet confirmed.</summary>
    public int Pending => buffer.Reader.Count + Volatile.Read(ref inFlight);

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        accepting = true;
        loops = [.. Enumerable.Range(0, options.Publishers).Select(_ => Task.Run(PublishHandedOverAsync, CancellationToken.None)), Task.Run(() => sweeper.RunAsync(stopping.Token), CancellationToken.None)];
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // After the services that produce messages stopped and before the host's bus is disposed: what they handed over still goes out.
    // A host can be stopped twice, the second time after this was disposed.
    /// <inheritdoc />
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        accepting = false;
        buffer.Writer.TryComplete();
        if (!stopping.IsCancellationRequested)
        {
            await stopping.CancelAsync();
        }

        try
        {
            await Task.WhenAll(loops).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            StoppedWithPending(logger, Pending);
        }
    }

    /// <inheritdoc />
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        buffer.Writer.TryComplete();
        stopping.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Who a message that is inserted now belongs to: this relay, or nobody when it could not send it soon.</summary>
    internal Guid? LeaseOwnerForNewMessage() =>
        accepting && !brokerUnavailable && buffer.Reader.Count < options.BufferSize ? Id : null;

    internal void HandOver(IReadOnlyList<OutboxMessage> messages)
    {
        var now = time.GetTimestamp();
        foreach (var message in messages)
        {
            if (message.LeaseOwner == Id)
            {
                buffer.Writer.TryWrite((message, now));
            }
        }
    }

    /// <summary>Publishes messages that this relay holds the lease of, and deletes those that the broker confirmed.</summary>
    internal async Task PublishAsync(IReadOnlyList<OutboxMessage> messages, CancellationToken cancellationToken)
    {
        Interlocked.Add(ref inFlight, messages.Count);
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            timeout.CancelAfter(options.PublishTimeout);
            var results = await Task.WhenAll(messages.Select(m => TrySendAsync(m, timeout.Token)));
            await SettleAsync(results);
        }
        finally
        {
            Interlocked.Add(ref inFlight, -messages.Count);
        }
    }

    private async Task SettleAsync((OutboxMessage Message, Exception? Error)[] results)
    {
        var sent = results.Where(r => r.Error is null).Select(r => r.Message.Id).ToArray();
        if (sent.Length > 0)
        {
            await store.DeleteAsync(sent, Id, CancellationToken.None);
        }

        var failed = results.Where(r => r.Error is not null).ToArray();
        brokerUnavailable = sent.Length == 0 && failed.Length > 0 && failed.All(f => !IsMessageAtFault(f.Error!));
        if (brokerUnavailable)
        {
            BrokerUnavailable(logger, failed.Length, failed[0].Error!);
            await store.ReleaseAsync([.. failed.Select(f => f.Message.Id)], Id, CancellationToken.None);
            return;
        }

        foreach (var (message, error) in failed)
        {
            var setAside = IsMessageAtFault(error!) || message.Failures + 1 >= options.MaxFailures;
            if (setAside)
            {
                SetAside(logger, message.Id, message.DestinationAddress, error!);
            }

            await store.FailAsync(message.Id, Id, setAside ? error!.ToString() : null, CancellationToken.None);
        }
    }

    private async Task<(OutboxMessage Message, Exception? Error)> TrySendAsync(OutboxMessage message, CancellationToken cancellationToken)
    {
        try
        {
            if (message.ExpiresAt is { } expiresAt && expiresAt <= UtcNow)
            {
                return (message, null);
            }

            await publisher.SendAsync(message, cancellationToken);
            return (message, null);
        }
        catch (Exception exception)
        {
            return (message, exception);
        }
    }

    // Errors that no later try can mend, whatever the broker's state.
    private static bool IsMessageAtFault(Exception error) => error switch
    {
        UriFormatException or FormatException or NotSupportedException or ArgumentException => true,
        System.Runtime.Serialization.SerializationException or System.Text.Json.JsonException => true,
        EndpointNotFoundException or ConfigurationException => true,
        AbstractUriException => true,
        _ => false,
    };

    private async Task PublishHandedOverAsync()
    {
        var batch = new List<OutboxMessage>(options.BatchSize);
        while (await buffer.Reader.WaitToReadAsync(CancellationToken.None))
        {
            batch.Clear();
            while (batch.Count < options.BatchSize && buffer.Reader.TryRead(out var item))
            {
                if (time.GetElapsedTime(item.HandedOverAt) < MaxWait)
                {
                    batch.Add(item.Message);
                }
            }

            try
            {
                if (batch.Count > 0)
                {
                    await PublishAsync(batch, CancellationToken.None);
                }
            }
            catch (Exception exception)
            {
                // The database did not take the outcome: the lease ends and the sweeper sends them, perhaps again.
                NotSettled(logger, batch.Count, exception);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker did not accept {Count} outbox messages; they stay in the database and are sent when it does.")]
    private static partial void BrokerUnavailable(ILogger logger, int count, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Outbox message {MessageId} to {Destination} is set aside: it cannot be sent.")]
    private static partial void SetAside(ILogger logger, Guid messageId, string destination, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outcome of {Count} outbox messages could not be written; they may be sent again.")]
    private static partial void NotSettled(ILogger logger, int count, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The outbox relay stopped with {Count} messages unsent; another instance or the next start sends them.")]
    private static partial void StoppedWithPending(ILogger logger, int count);
}
