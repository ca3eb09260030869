using MassTransit;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Platform.Outbox;

/// <summary>
/// Messages sent at once over the bus's one channel. MassTransit waits out a lost channel by itself, four seconds and then longer,
/// without telling; an attempt ends at the first such error instead, so that the relay decides.
/// </summary>
internal sealed class SendAttempt : IDisposable
{
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource ended;
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;
    private bool reached;

    /// <param name="connectTimeout">Until there is a channel. The bus goes on connecting by itself.</param>
    /// <param name="timeout">From then on.</param>
    /// <param name="time">The clock.</param>
    public SendAttempt(TimeSpan connectTimeout, TimeSpan timeout, TimeProvider time)
    {
        this.timeout = timeout;
        this.time = time;
        ended = new CancellationTokenSource(connectTimeout, time);
    }

    public CancellationToken Token => ended.Token;

    /// <summary>Why the channel was closed under this attempt; null when it was not.</summary>
    public Exception? ChannelError { get; private set; }

    /// <summary>Why the channel was closed, the same object for all who feel it; null when the error does not say.</summary>
    public ShutdownEventArgs? CloseReason => (ChannelError as OperationInterruptedException)?.ShutdownReason;

    /// <summary>
    /// Whether the broker closed the channel because it refuses a message or its destination (AMQP's "soft errors": access refused, no
    /// such exchange, exchange of another type, too large, ...), and not because it or the connection is in trouble.
    /// </summary>
    public bool IsRefused => CloseReason is { ReplyCode: 311 or 403 or 404 or 405 or 406 };

    public static bool IsChannelError(Exception error) =>
        error is OperationInterruptedException or ConnectionException or TransportUnavailableException or IOException or ObjectDisposedException;

    /// <summary>
    /// Waits for a send until the attempt has ended, and a moment longer. Not all of them end with their token: RabbitMQ.Client 7.1
    /// disposes the semaphores of a closed channel, and whoever waits for one waits for ever.
    /// </summary>
    /// <exception cref="OperationCanceledException">It did not end. It may still be sent.</exception>
    public async Task WaitAsync(Task send)
    {
        // Nothing of this runs as a callback of the token: what throws there, on the timer's thread, ends the process.
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

    /// <summary>A send that was given up and goes on all the same fails at its next step, where nobody waits for it.</summary>
    public void Dispose() => ended.Dispose();
}
