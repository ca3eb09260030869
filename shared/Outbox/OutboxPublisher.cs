using System.Net.Mime;
using MassTransit;
using MassTransit.Context;
using MassTransit.Serialization;

namespace Platform.Outbox;

/// <summary>Sends one stored message to its address as it was written: body, headers and transport properties unchanged.</summary>
internal sealed class OutboxPublisher(IBus bus, TimeProvider time)
{
    private static readonly SerializedMessageBody Placeholder = new();

    public async Task SendAsync(OutboxMessage message, CancellationToken cancellationToken)
    {
        var endpoint = await bus.GetSendEndpoint(new Uri(message.DestinationAddress));
        await endpoint.Send(Placeholder, new StoredMessagePipe(message, time), cancellationToken);
    }

    private sealed class StoredMessagePipe(OutboxMessage message, TimeProvider time) : IPipe<SendContext<SerializedMessageBody>>
    {
        public Task Send(SendContext<SerializedMessageBody> context)
        {
            context.MessageId = message.MessageId;
            context.CorrelationId = message.CorrelationId;
            context.Serializer = new CopyBodySerializer(new ContentType(message.ContentType), new MemoryMessageBody(message.Body));
            if (message.ExpiresAt is { } expiresAt)
            {
                context.TimeToLive = expiresAt - time.GetUtcNow().UtcDateTime;
            }

            var json = SystemTextJsonMessageSerializer.Instance;
            if (json.DeserializeDictionary<object>(message.Headers) is { } headers)
            {
                foreach (var (key, value) in headers)
                {
                    context.Headers.Set(key, value);
                }
            }

            if (context is TransportSendContext transport && json.DeserializeDictionary<object>(message.Properties) is { } properties)
            {
                transport.ReadPropertiesFrom(properties);
            }

            return Task.CompletedTask;
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
