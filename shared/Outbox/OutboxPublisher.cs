using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Serialization;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Platform.Outbox;

/// <summary>
/// Sends messages to one destination at a time and records each message's outcome. Callers with different destinations may overlap.
/// </summary>
internal sealed class OutboxPublisher : ISendObserver, IPublishObserver, IDisposable
{
    // If less than this is left after the time to publish, a lease might end before its message is deleted.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ChannelRecovery = TimeSpan.FromMilliseconds(20);

    // All senders wait for the one that sends alone. An answer that has not come by then will not come soon.
    private static readonly TimeSpan AloneTimeout = TimeSpan.FromSeconds(2);
    private static readonly SerializedMessageBody Placeholder = new();

    private readonly OutboxBuses buses;
    private readonly PublishedTypes endpoints;
    private readonly TimeSpan publishTimeout;
    private readonly TimeProvider time;
    private readonly SendGate gate;
    private readonly SemaphoreSlim probing = new(1);
    private readonly ConcurrentDictionary<SendAttempt, bool> attempts = new();
    private readonly ConnectHandle[] observers;
    private ShutdownEventArgs? lastProbeReason;

    public OutboxPublisher(OutboxBuses buses, PublishedTypes endpoints, OutboxOptions options, TimeProvider time)
    {
        this.buses = buses;
        this.endpoints = endpoints;
        this.time = time;
        publishTimeout = options.PublishTimeout;
        gate = new SendGate(time);
        observers = [.. buses.Distinct.SelectMany(bus => new[] { bus.ConnectSendObserver(this), bus.ConnectPublishObserver(this) })];
    }

    /// <summary>Sends messages to one destination.</summary>
    public async Task SendAsync(IEnumerable<Delivery> deliveries)
    {
        var leased = deliveries.Where(IsLeased).ToList();
        using var together = new SendAttempt(buses.Publish, ConnectTimeout, publishTimeout, time);
        await gate.SendAsync(() => SendAsync(leased, together));
        if (together.IsRefused || together.CameLate)
        {
            await gate.SendAloneAsync(() => SendAloneAsync(leased, together.CloseReason));
        }
    }

    /// <summary>Sends messages to a destination that failed before, where they cannot disturb other destinations.</summary>
    /// <param name="deliveries">The messages.</param>
    /// <param name="briefly">
    /// Waits for the answer less long than usual, because the destination may be well, and others that may be well wait for their turn.
    /// </param>
    public async Task ProbeAsync(IEnumerable<Delivery> deliveries, bool briefly)
    {
        await probing.WaitAsync();
        try
        {
            var leased = deliveries.Where(IsLeased).ToList();
            (_, lastProbeReason) = await SendAloneAsync(
                buses.Probe,
                leased,
                lastProbeReason,
                time.GetTimestamp(),
                briefly ? AloneTimeout : publishTimeout
            );
            if (leased.Any(d => d.Outcome == DeliveryOutcome.Unanswered))
            {
                // The next probe must not meet whatever holds this channel.
                buses.DropProbe();
            }
        }
        finally
        {
            probing.Release();
        }
    }

    // The broker refused a message to this or another destination, and closed the channel under all messages. The sender that is refused
    // again when it sends alone is the cause.
    private async Task SendAloneAsync(List<Delivery> leased, ShutdownEventArgs? reason)
    {
        var start = time.GetTimestamp();
        var mine = leased.Where(d => d.Outcome == DeliveryOutcome.Disconnected).ToList();
        (var isRefused, reason) = await SendAloneAsync(buses.Publish, mine, reason, start, AloneTimeout);
        if (!isRefused || mine.Count == 1)
        {
            return;
        }

        // One of these messages is refused, or all are. Two in a row suffice to know that it is the destination.
        var inARow = 0;
        foreach (var delivery in mine.Where(d => d.Outcome == DeliveryOutcome.Refused))
        {
            if (inARow > 1)
            {
                delivery.Error = null;
                continue;
            }

            // With no time left the message is not tried, which says nothing about the broker.
            (delivery.Outcome, delivery.Error) = (DeliveryOutcome.NotTried, null);
            (isRefused, reason) = await SendAloneAsync(buses.Publish, [delivery], reason, start, AloneTimeout);
            inARow = isRefused ? inARow + 1 : 0;
        }
    }

    /// <summary>Sends until the channel stays open, or is closed for a reason that is new.</summary>
    /// <returns>Whether these messages were refused, and the last reason why the channel was closed.</returns>
    private async Task<(bool IsRefused, ShutdownEventArgs? Reason)> SendAloneAsync(
        IBus bus,
        List<Delivery> deliveries,
        ShutdownEventArgs? lastReason,
        long start,
        TimeSpan limit
    )
    {
        for (
            var left = limit - time.GetElapsedTime(start);
            left > TimeSpan.Zero && deliveries.Count > 0;
            left = limit - time.GetElapsedTime(start)
        )
        {
            using var alone = new SendAttempt(bus, left < ConnectTimeout ? left : ConnectTimeout, left, time);
            await SendAsync(deliveries, alone);
            if (alone.ChannelError is null)
            {
                break;
            }

            // Without a reason, or with the last reason, this is still the closed channel, which the bus has not replaced yet.
            if (alone.CloseReason is { } reason && !ReferenceEquals(reason, lastReason))
            {
                foreach (var delivery in deliveries.Where(d => alone.IsRefused && d.Outcome == DeliveryOutcome.Disconnected))
                {
                    delivery.Outcome = DeliveryOutcome.Refused;
                }

                return (alone.IsRefused, reason);
            }

            await Task.Delay(ChannelRecovery, time, CancellationToken.None);
        }

        return (false, lastReason);
    }

    /// <inheritdoc />
    public Task SendFault<T>(SendContext<T> context, Exception exception)
        where T : class => Failed(context, exception);

    /// <inheritdoc />
    public Task PublishFault<T>(PublishContext<T> context, Exception exception)
        where T : class => Failed(context, exception);

    /// <inheritdoc />
    public Task PreSend<T>(SendContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc />
    public Task PostSend<T>(SendContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc />
    public Task PrePublish<T>(PublishContext<T> context)
        where T : class => Task.CompletedTask;

    /// <inheritdoc />
    public Task PostPublish<T>(PublishContext<T> context)
        where T : class => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var observer in observers)
        {
            observer.Disconnect();
        }

        probing.Dispose();
        gate.Dispose();
    }

    private static Task Failed(PipeContext context, Exception exception)
    {
        if (context.TryGetPayload(out MessageSend? send))
        {
            send.Failed(exception);
        }

        return Task.CompletedTask;
    }

    // A bus has one channel, so what closed it under one attempt closed it under the others. One that came late may find others on the next
    // channel already; they end, too, if they are not answered within the moment that they get, and their messages are sent again.
    private void ClosedUnder(SendAttempt attempt, Exception error)
    {
        foreach (var (other, _) in attempts)
        {
            if (other != attempt && ReferenceEquals(other.Bus, attempt.Bus))
            {
                other.ClosedUnderAnother(error);
            }
        }
    }

    private bool IsLeased(Delivery delivery) =>
        delivery.LeasedAt is { } leasedAt && time.GetElapsedTime(leasedAt) < OutboxModel.Lease - publishTimeout - Margin;

    private async Task SendAsync(List<Delivery> deliveries, SendAttempt attempt)
    {
        attempts.TryAdd(attempt, true);
        try
        {
            await Task.WhenAll(deliveries.Select(d => SendAsync(d, attempt)));
        }
        finally
        {
            attempts.TryRemove(attempt, out _);
        }

        foreach (var delivery in deliveries)
        {
            if (
                attempt.ChannelError is not null
                && delivery.Outcome is not (DeliveryOutcome.Confirmed or DeliveryOutcome.Unsendable)
                && !SendAttempt.IsRefusal(delivery.Error)
            )
            {
                // A channel that is being closed fails in many ways, none of which says anything about the message.
                (delivery.Outcome, delivery.Error) = (DeliveryOutcome.Disconnected, attempt.ChannelError);
            }
        }
    }

    private async Task SendAsync(Delivery delivery, SendAttempt attempt)
    {
        var message = delivery.Message;
        if (message.ExpiresAt <= time.GetUtcNow().UtcDateTime)
        {
            delivery.Outcome = DeliveryOutcome.Confirmed;
            return;
        }

        using var send = new MessageSend(attempt, delivery, ClosedUnder);
        ISendEndpoint endpoint;
        StoredMessagePipe pipe;
        try
        {
            pipe = new StoredMessagePipe(message, send, time);
            endpoint = await endpoints.GetEndpoint(attempt.Bus, message.DestinationAddress);
        }
        catch (Exception exception)
        {
            // No input or output has happened yet, so the row is the cause, unless the bus is starting or stopping.
            (delivery.Outcome, delivery.Error) = (
                exception is OperationCanceledException || SendAttempt.IsChannelError(exception)
                    ? DeliveryOutcome.Disconnected
                    : DeliveryOutcome.Unsendable,
                exception
            );
            return;
        }

        try
        {
            await send.WaitAsync(endpoint.Send(Placeholder, pipe, send.Token), time);
            (delivery.Outcome, delivery.Error) = (DeliveryOutcome.Confirmed, null);
        }
        catch (Exception exception)
        {
            delivery.Error = send.Refusal ?? exception;
            delivery.Outcome = delivery.Error switch
            {
                OperationCanceledException => attempt.IsConnected ? DeliveryOutcome.Unanswered : DeliveryOutcome.Disconnected,
                _ when SendAttempt.IsChannelError(delivery.Error) => DeliveryOutcome.Disconnected,
                ArgumentException or WireFormattingException => DeliveryOutcome.Unsendable,
                _ => DeliveryOutcome.Refused,
            };
        }
    }
}
