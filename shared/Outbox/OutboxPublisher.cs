using MassTransit;
using MassTransit.Serialization;
using RabbitMQ.Client.Exceptions;
using PublishException = RabbitMQ.Client.Exceptions.PublishException;

namespace Platform.Outbox;

/// <summary>Sends leased messages and notes what became of each. For one caller at a time: the bus has one channel.</summary>
internal sealed class OutboxPublisher : ISendObserver, IPublishObserver
{
    // With less than this beyond the time to publish, a lease might end before its message is deleted.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ChannelRecovery = TimeSpan.FromMilliseconds(20);
    private static readonly SerializedMessageBody Placeholder = new();

    private readonly PublishedTypes endpoints;
    private readonly RefusedDestinations refused;
    private readonly TimeSpan publishTimeout;
    private readonly TimeProvider time;

    public OutboxPublisher(IBus bus, PublishedTypes endpoints, OutboxOptions options, TimeProvider time)
    {
        this.endpoints = endpoints;
        this.time = time;
        publishTimeout = options.PublishTimeout;
        refused = new RefusedDestinations(time);
        bus.ConnectSendObserver(this);
        bus.ConnectPublishObserver(this);
    }

    public async Task SendAsync(IEnumerable<Delivery> deliveries)
    {
        var start = time.GetTimestamp();
        var leased = deliveries.Where(IsLeased).ToList();
        using var together = new SendAttempt(ConnectTimeout, publishTimeout, time);
        await SendAsync(leased, together);
        if (!together.IsRefused)
        {
            return;
        }

        // The broker refused one of them and closed the channel under all. Only alone can it be told which.
        var lastClose = together.CloseReason;
        foreach (var delivery in leased.Where(d => d.Outcome == DeliveryOutcome.Unanswered))
        {
            for (var left = Left(start); left > TimeSpan.Zero; left = Left(start))
            {
                using var alone = new SendAttempt(left, left, time);
                await SendAsync([delivery], alone);
                if (alone.ChannelError is null)
                {
                    break;
                }

                // Without a reason, or with the last one, it is the closed channel still: the bus has not replaced it yet.
                if (alone.CloseReason is { } close && !ReferenceEquals(close, lastClose))
                {
                    lastClose = close;
                    if (alone.IsRefused)
                    {
                        (delivery.Outcome, delivery.Error) = (DeliveryOutcome.Refused, alone.ChannelError);
                        refused.Add(delivery.Message.DestinationAddress);
                        break;
                    }
                }

                await Task.Delay(ChannelRecovery, time, CancellationToken.None);
            }
        }
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

    private static Task Failed(PipeContext context, Exception exception)
    {
        if (context.TryGetPayload(out SendAttempt? attempt))
        {
            attempt.Failed(exception);
        }

        return Task.CompletedTask;
    }

    private TimeSpan Left(long start) => publishTimeout - time.GetElapsedTime(start);

    private bool IsLeased(Delivery delivery) =>
        delivery.LeasedAt is { } leasedAt && time.GetElapsedTime(leasedAt) < OutboxModel.Lease - publishTimeout - Margin;

    private async Task SendAsync(IReadOnlyCollection<Delivery> deliveries, SendAttempt attempt)
    {
        await Task.WhenAll(deliveries.Select(d => SendAsync(d, attempt)));
        foreach (var delivery in deliveries)
        {
            if (delivery.Outcome == DeliveryOutcome.Confirmed)
            {
                refused.Remove(delivery.Message.DestinationAddress);
            }
            else if (attempt.ChannelError is not null && delivery.Error is not (null or PublishException or MessageReturnedException))
            {
                // A channel that is being closed fails in many ways, and none of them says anything about the message.
                (delivery.Outcome, delivery.Error) = (DeliveryOutcome.Unanswered, attempt.ChannelError);
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

        if (refused.Contains(message.DestinationAddress))
        {
            delivery.Outcome = DeliveryOutcome.Refused;
            return;
        }

        ISendEndpoint endpoint;
        StoredMessagePipe pipe;
        try
        {
            pipe = new StoredMessagePipe(message, attempt, time);
            endpoint = await endpoints.GetEndpoint(message.DestinationAddress);
        }
        catch (Exception exception)
        {
            // No input or output so far: it is the row, unless the bus is being started or stopped.
            (delivery.Outcome, delivery.Error) =
                (exception is OperationCanceledException || SendAttempt.IsChannelError(exception) ? DeliveryOutcome.Unanswered : DeliveryOutcome.Unsendable, exception);
            return;
        }

        try
        {
            await attempt.WaitAsync(endpoint.Send(Placeholder, pipe, attempt.Token));
            (delivery.Outcome, delivery.Error) = (DeliveryOutcome.Confirmed, null);
        }
        catch (Exception exception)
        {
            delivery.Error = exception;
            delivery.Outcome = exception switch
            {
                OperationCanceledException => DeliveryOutcome.Unanswered,
                _ when SendAttempt.IsChannelError(exception) => DeliveryOutcome.Unanswered,
                ArgumentException or WireFormattingException => DeliveryOutcome.Unsendable,
                _ => DeliveryOutcome.Refused,
            };
        }
    }
}
