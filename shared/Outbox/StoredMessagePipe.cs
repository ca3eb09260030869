using System.Net.Mime;
using MassTransit;
using MassTransit.Context;
using MassTransit.Serialization;

namespace Platform.Outbox;

/// <summary>Makes a send context carry a stored message as it was written: body, headers and transport properties unchanged.</summary>
internal sealed class StoredMessagePipe : IPipe<SendContext<SerializedMessageBody>>
{
    private readonly OutboxMessage message;
    private readonly MessageSend send;
    private readonly TimeProvider time;
    private readonly IMessageSerializer serializer;
    private readonly Dictionary<string, object> headers;
    private readonly Dictionary<string, object> properties;

    /// <summary>Reads the message.</summary>
    /// <exception cref="Exception">The row is not a message that this outbox wrote.</exception>
    public StoredMessagePipe(OutboxMessage message, MessageSend send, TimeProvider time)
    {
        this.message = message;
        this.send = send;
        this.time = time;
        serializer = new CopyBodySerializer(new ContentType(message.ContentType), new BytesMessageBody(message.Body));
        headers = message.HeaderValues ?? StoredValues.Deserialize(message.Headers);
        properties = message.PropertyValues ?? StoredValues.Deserialize(message.Properties);
    }

    // Called when a channel is there, once for each try that MassTransit makes.
    public Task Send(SendContext<SerializedMessageBody> context)
    {
        send.Reached(context);
        context.MessageId = message.MessageId;
        context.CorrelationId = message.CorrelationId;
        context.Serializer = serializer;
        if (message.ExpiresAt is { } expiresAt)
        {
            context.TimeToLive = expiresAt - time.GetUtcNow().UtcDateTime;
        }

        foreach (var (key, value) in headers)
        {
            context.Headers.Set(key, value);
        }

        (context as TransportSendContext)?.ReadPropertiesFrom(properties);

        return Task.CompletedTask;
    }

    public void Probe(ProbeContext context) { }
}
