using MassTransit;
using RabbitMQ.Client.Exceptions;

namespace Platform.Outbox;

/// <summary>
/// Messages sent at once over the bus's one channel. MassTransit waits out a lost channel by itself, four seconds and then longer,
/// without telling; an attempt ends at the first such error instead, so that the relay decides.
/// </summary>
internal sealed class SendAttempt : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource ended;
    private readonly TimeSpan timeout;
    private bool reached;

    /// <param name="timeout">From the moment when there is a channel. Until then it is 2 s: the bus goes on connecting by itself.</param>
    /// <param name="time">The clock.</param>
    public SendAttempt(TimeSpan timeout, TimeProvider time)
    {
        this.timeout = timeout;
        ended = new CancellationTokenSource(ConnectTimeout, time);
    }

    public CancellationToken Token => ended.Token;

    /// <summary>Why the channel was closed under this attempt; null when it was not.</summary>
    public Exception? ChannelError { get; private set; }

    /// <summary>
    /// Whether the broker closed the channel because it refuses a message or its destination (AMQP's "soft errors": access refused, no
    /// such exchange, exchange of another type, too large, ...), and not because it or the connection is in trouble.
    /// </summary>
    public bool IsRefused => ChannelError is OperationInterruptedException { ShutdownReason.ReplyCode: 311 or 403 or 404 or 405 or 406 };

    public static bool IsChannelError(Exception error) =>
        error is OperationInterruptedException or ConnectionException or TransportUnavailableException or IOException or ObjectDisposedException;

    /// <summary>Whether the channel is still the one that an earlier attempt found closed.</summary>
    public bool FoundChannelClosedBy(Exception? earlier) =>
        (ChannelError as OperationInterruptedException)?.ShutdownReason is { } reason
        && ReferenceEquals(reason, (earlier as OperationInterruptedException)?.ShutdownReason);

    /// <summary>There is a channel: the send context for it.</summary>
    public void Reached(PipeContext context)
    {
        context.GetOrAddPayload(() => this);
        if (!reached)
        {
            reached = true;
            ended.CancelAfter(timeout);
        }
    }

    public void Failed(Exception error)
    {
        if (IsChannelError(error))
        {
            ChannelError ??= error;
            ended.Cancel();
        }
    }

    public void Dispose() => ended.Dispose();
}
