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

    private static Delivery Delivery() => new(new OutboxMessage(), leasedAt: null, claimedUntil: null, new CommittedMessages(0));
}
