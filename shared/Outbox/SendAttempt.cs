using System.Net.Mime;
using System.Text.Json;
using MassTransit;
using MassTransit.Context;
using MassTransit.Serialization;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using PublishException = RabbitMQ.Client.Exceptions.PublishException;

namespace Platform.Outbox;

/// <summary>
/// Sends messages together over the bus's one channel. MassTransit silently waits for a lost channel, first four seconds and then longer.
/// An attempt instead ends at the first such error, so that the relay decides.
/// </summary>
/// <param name="bus">The bus.</param>
/// <param name="connectTimeout">How long to wait for a channel. The bus goes on connecting by itself.</param>
/// <param name="timeout">How long the attempt may take once there is a channel.</param>
/// <param name="time">The clock.</param>
internal sealed class SendAttempt(IBus bus, TimeSpan connectTimeout, TimeSpan timeout, TimeProvider time) : IDisposable
{
    // MassTransit and RabbitMQ.Client say this, and no broker does, when a channel was closed already before they used it.
    private const ushort ClosedAlready = 491;

    // An answer that arrived before the channel was closed is still on its way through this process.
    private static readonly TimeSpan LastAnswers = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource ended = new(connectTimeout, time);
    private readonly Lock gate = new();
    private Exception? ownError;
    private Exception? errorOfOthers;
    private bool isConnected;
    private bool isDisposed;

    public IBus Bus => bus;

    public CancellationToken Token => ended.Token;

    /// <summary>Whether there was a channel to send on.</summary>
    public bool IsConnected
    {
        get
        {
            lock (gate)
            {
                return isConnected;
            }
        }
    }

    /// <summary>Why the channel was closed under this attempt; null when it was not.</summary>
    public Exception? ChannelError
    {
        get
        {
            lock (gate)
            {
                return ownError ?? (ended.IsCancellationRequested ? errorOfOthers : null);
            }
        }
    }

    /// <summary>
    /// Why the channel was closed: the same object for everything that the closing ended; null when the error does not say, as when the
    /// channel was closed before.
    /// </summary>
    public ShutdownEventArgs? CloseReason => Reason is { ReplyCode: not ClosedAlready } reason ? reason : null;

    /// <summary>Whether the channel was closed before this attempt used it, and the bus had not replaced it yet.</summary>
    public bool CameLate => Reason is { ReplyCode: ClosedAlready };

    /// <summary>
    /// Whether the broker closed the channel because it refuses a message or its destination (AMQP's "soft errors": access refused, no such
    /// exchange, exchange of another type, too large, ...), and not because of trouble with the channel or the connection.
    /// </summary>
    public bool IsRefused => CloseReason is { ReplyCode: 311 or 403 or 404 or 405 or 406 };

    private ShutdownEventArgs? Reason => (ChannelError as OperationInterruptedException)?.ShutdownReason;

    public static bool IsChannelError(Exception error) =>
        !IsRefusal(error)
        && error
            is OperationInterruptedException
                or ConnectionException
                or TransportUnavailableException
                or IOException
                or ObjectDisposedException;

    /// <summary>
    /// Whether the broker refused this one message, by a nack or a return. MassTransit 8.5 reports a nack as the loss of a connection.
    /// </summary>
    public static bool IsRefusal(Exception? error) =>
        error is PublishException or MessageReturnedException || error?.InnerException is PublishException;

    /// <summary>Records that there is a channel, because a send context exists for it.</summary>
    public void Connected()
    {
        lock (gate)
        {
            if (!isConnected && !isDisposed)
            {
                isConnected = true;
                ended.CancelAfter(timeout);
            }
        }
    }

    /// <summary>Ends the attempt, if the error is that of a channel.</summary>
    /// <returns>Whether this is the first such error.</returns>
    public bool Failed(Exception error)
    {
        if (!IsChannelError(error))
        {
            return false;
        }

        lock (gate)
        {
            if (ownError is not null)
            {
                return false;
            }

            ownError = error;
        }

        // Not under the lock: what waits for the token may go on here, and dispose the attempt.
        ended.Cancel();
        return true;
    }

    /// <summary>
    /// Records that the channel was closed under another attempt. This one ends in a moment: an operation that waits for its turn on a
    /// channel of RabbitMQ.Client 7 does not learn that the channel is closed, and would wait for the whole timeout.
    /// </summary>
    public void ClosedUnderAnother(Exception error)
    {
        lock (gate)
        {
            if (isConnected && !isDisposed && errorOfOthers is null)
            {
                errorOfOthers = error;
                ended.CancelAfter(LastAnswers);
            }
        }
    }

    /// <summary>Ends the attempt. A send that was given up but still goes on fails at its next step, where nobody waits for it.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
        }

        ended.Dispose();
    }
}

/// <summary>
/// One message of an attempt. A refusal ends this message alone; MassTransit would try it again as long as the token lasts.
/// </summary>
internal sealed class MessageSend : IDisposable
{
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromMilliseconds(500);

    private readonly SendAttempt attempt;
    private readonly Delivery delivery;
    private readonly Action<SendAttempt, Exception>? channelClosed;
    private readonly CancellationTokenSource ended;

    /// <summary>Begins the send of one message.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="delivery">The message.</param>
    /// <param name="channelClosed">Is told the first error of the attempt that says that its channel was closed.</param>
    public MessageSend(SendAttempt attempt, Delivery delivery, Action<SendAttempt, Exception>? channelClosed = null)
    {
        this.attempt = attempt;
        this.delivery = delivery;
        this.channelClosed = channelClosed;
        ended = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token);
    }

    public CancellationToken Token => ended.Token;

    /// <summary>Why the broker refused this message; null when it did not.</summary>
    public Exception? Refusal { get; private set; }

    /// <summary>Records that there is a channel, because a send context exists for it.</summary>
    public void Reached(PipeContext context)
    {
        context.GetOrAddPayload(() => this);
        delivery.IsUnderWay = true;
        attempt.Connected();
    }

    public void Failed(Exception error)
    {
        if (SendAttempt.IsRefusal(error))
        {
            Refusal ??= error;
            ended.Cancel();
        }
        else if (attempt.Failed(error))
        {
            channelClosed?.Invoke(attempt, error);
        }
    }

    /// <summary>
    /// Waits until the send or its attempt has ended, and a moment longer. Some sends do not end with their token: RabbitMQ.Client 7
    /// disposes the semaphores of a closed channel, and a send that waits for one waits forever.
    /// </summary>
    /// <exception cref="OperationCanceledException">The send did not end. The message may still be sent.</exception>
    public async Task WaitAsync(Task send, TimeProvider time)
    {
        // Nothing here runs as a callback of the token: an exception there, on the timer's thread, would end the process.
        await send.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!send.IsCompleted)
        {
            await send.WaitAsync(CancelTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (!send.IsCompleted)
        {
            throw new OperationCanceledException("The send did not end when it was cancelled.");
        }

        await send;
    }

    public void Dispose()
    {
        delivery.IsUnderWay = false;
        ended.Dispose();
    }
}

/// <summary>Makes a send context carry a stored message exactly as it was written: body, headers and transport properties.</summary>
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

    // MassTransit calls this when a channel exists, once for each of its tries.
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

/// <summary>
/// Stores headers and transport properties as JSON, <c>{"text":"a","number":["Int32",1]}</c>. Each value keeps its type, because the
/// broker's protocol has types, too.
/// </summary>
internal static class StoredValues
{
    private static readonly Dictionary<string, Type> Types = new[]
    {
        typeof(bool),
        typeof(byte),
        typeof(short),
        typeof(int),
        typeof(long),
        typeof(float),
        typeof(double),
        typeof(decimal),
        typeof(DateTime),
        typeof(DateTimeOffset),
        typeof(Guid),
        typeof(Uri),
        typeof(string[]),
    }.ToDictionary(t => t.Name);

    /// <summary>Keeps the values that can be stored. Leaves out values of other types, as RabbitMQ's transport does.</summary>
    public static Dictionary<string, object> Keep(IEnumerable<KeyValuePair<string, object>> values)
    {
        var kept = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in values)
        {
            if (value is string || Types.ContainsKey(value.GetType().Name))
            {
                kept[key] = value;
            }
        }

        return kept;
    }

    /// <summary>Writes the values; null when there are none.</summary>
    public static string? Serialize(Dictionary<string, object> kept) =>
        kept.Count == 0
            ? null
            : JsonSerializer.Serialize(
                kept.ToDictionary(v => v.Key, v => v.Value is string ? v.Value : new[] { v.Value.GetType().Name, v.Value })
            );

    /// <summary>Reads the stored values.</summary>
    /// <exception cref="JsonException">The text was not written by <see cref="Serialize"/>.</exception>
    public static Dictionary<string, object> Deserialize(string? text)
    {
        var values = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, stored) in text is null ? [] : JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text) ?? [])
        {
            values[key] =
                stored.ValueKind == JsonValueKind.String ? stored.GetString()!
                : stored.ValueKind == JsonValueKind.Array && Types.TryGetValue(stored[0].GetString()!, out var type)
                    ? stored[1].Deserialize(type)!
                : throw new JsonException($"\"{key}\" is not a stored value.");
        }

        return values;
    }
}
