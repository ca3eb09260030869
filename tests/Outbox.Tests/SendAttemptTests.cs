using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Platform.Outbox.Tests;

public sealed class SendAttemptTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    // The caller that waits for the send goes on and disposes the attempt while callbacks of its token still run. They run on a timer's
    // thread, where an exception ends the process.
    [Fact]
    public void An_attempt_may_be_disposed_while_it_ends()
    {
        var attempt = new SendAttempt(null!, Long, Long, TimeProvider.System);
        attempt.Token.Register(attempt.Dispose);

        Should.NotThrow(() => attempt.Failed(new IOException("The channel is gone.")));
    }

    [Fact]
    public async Task A_send_that_ends_with_the_attempt_tells_its_own_error()
    {
        using var attempt = new SendAttempt(null!, Long, Long, TimeProvider.System);
        var send = new TaskCompletionSource();
        await using var registration = attempt.Token.Register(() => send.SetException(new IOException("The channel is gone.")));
        using var message = new MessageSend(attempt, Delivery());
        var waiting = message.WaitAsync(send.Task, TimeProvider.System);

        attempt.Failed(new IOException());

        await Should.ThrowAsync<IOException>(waiting);
    }

    [Fact]
    public async Task A_send_that_never_ends_is_given_up()
    {
        using var attempt = new SendAttempt(null!, TimeSpan.FromMilliseconds(10), Long, TimeProvider.System);

        using var message = new MessageSend(attempt, Delivery());
        await Should.ThrowAsync<OperationCanceledException>(
            message
                .WaitAsync(new TaskCompletionSource().Task, TimeProvider.System)
                .WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)
        );
    }

    // RabbitMQ.Client 7 leaves an operation that waits for its turn on a channel waiting when the channel is closed.
    [Fact]
    public async Task A_send_that_does_not_learn_that_the_channel_is_closed_learns_it_from_another()
    {
        var reason = new ShutdownEventArgs(ShutdownInitiator.Peer, 406, "PRECONDITION_FAILED");
        using var refused = new SendAttempt(null!, Long, Long, TimeProvider.System);
        using var other = new SendAttempt(null!, Long, Long, TimeProvider.System);
        using var notConnected = new SendAttempt(null!, Long, Long, TimeProvider.System);
        refused.Connected();
        other.Connected();
        using var message = new MessageSend(
            refused,
            Delivery(),
            (_, error) =>
            {
                other.ClosedUnderAnother(error);
                notConnected.ClosedUnderAnother(error);
            }
        );
        using var standing = new MessageSend(other, Delivery());
        var waiting = standing.WaitAsync(new TaskCompletionSource().Task, TimeProvider.System);

        message.Failed(new OperationInterruptedException(reason));

        // The answer to the other may still be on its way.
        other.Token.IsCancellationRequested.ShouldBeFalse();
        other.ChannelError.ShouldBeNull();
        await Should.ThrowAsync<OperationCanceledException>(
            waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)
        );
        other.IsRefused.ShouldBeTrue();
        other.CloseReason.ShouldBeSameAs(refused.CloseReason);

        // It waits for a channel, which will be another one.
        notConnected.Token.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public void A_channel_that_was_closed_before_says_nothing_about_who_is_refused()
    {
        using var attempt = new SendAttempt(null!, Long, Long, TimeProvider.System);

        attempt
            .Failed(new OperationInterruptedException(new ShutdownEventArgs(ShutdownInitiator.Peer, 491, "Closed already")))
            .ShouldBeTrue();

        attempt.CameLate.ShouldBeTrue();
        attempt.IsRefused.ShouldBeFalse();
        attempt.CloseReason.ShouldBeNull();
    }

    private static Delivery Delivery() => new(new OutboxMessage(), leasedAt: null, claimedUntil: null, new CommittedMessages(0));
}
