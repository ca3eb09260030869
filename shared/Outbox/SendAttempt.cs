using MassTransit;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;
using PublishException = RabbitMQ.Client.Exceptions.PublishException;

namespace Platform.Outbox;

/// <summary>
/// Messages sent at once over the bus's one channel. MassTransit waits out a lost channel by itself, four seconds and then longer,
/// without telling; an attempt ends at the first such error instead, so that the relay decides.
/// </summary>
/// <param name="bus">The bus.</param>
/// <param name="connectTimeout">Until there is a channel. The bus goes on connecting by itself.</param>
/// <param name="timeout">From then on.</param>
/// <param name="time">The clock.</param>
internal sealed class SendAttempt(IBus bus, TimeSpan connectTimeout, TimeSpan timeout, TimeProvider time) : IDisposable
{
    private readonly CancellationTokenSource ended = new(connectTimeout, time);

    public IBus Bus => bus;

    public CancellationToken Token => ended.Token;

    /// <summary>Whether there was a channel to send on.</summary>
    public bool IsConnected { get; private set; }

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
        !IsRefusal(error)
        && error
            is OperationInterruptedException
                or ConnectionException
                or TransportUnavailableException
                or IOException
                or ObjectDisposedException;

    /// <summary>Whether the broker answered with a refusal of this one message: a nack, or a return. MassTransit 8.5 tells a nack as the loss of a connection.</summary>
    public static bool IsRefusal(Exception? error) =>
        error is PublishException or MessageReturnedException || error?.InnerException is PublishException;

    /// <summary>There is a channel: the send context for it.</summary>
    public void Connected()
    {
        if (!IsConnected)
        {
            IsConnected = true;
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

/// <summary>One message of an attempt. A refusal ends it alone; MassTransit would try it again as long as the token lasts.</summary>
internal sealed class MessageSend : IDisposable
{
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(1);

    private readonly SendAttempt attempt;
    private readonly Delivery delivery;
    private readonly CancellationTokenSource ended;

    public MessageSend(SendAttempt attempt, Delivery delivery)
    {
        this.attempt = attempt;
        this.delivery = delivery;
        ended = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token);
    }

    public CancellationToken Token => ended.Token;

    /// <summary>Why the broker refused this message; null when it did not.</summary>
    public Exception? Refusal { get; private set; }

    /// <summary>There is a channel: the send context for it.</summary>
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
        else
        {
            attempt.Failed(error);
        }
    }

    /// <summary>
    /// Waits for the send until it or its attempt has ended, and a moment longer. Not all sends end with their token: RabbitMQ.Client 7
    /// disposes the semaphores of a closed channel, and whoever waits for one waits for ever.
    /// </summary>
    /// <exception cref="OperationCanceledException">It did not end. It may still be sent.</exception>
    public async Task WaitAsync(Task send, TimeProvider time)
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

    public void Dispose()
    {
        delivery.IsUnderWay = false;
        ended.Dispose();
    }
}
