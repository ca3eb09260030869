using MassTransit;
using MassTransit.Serialization;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests what the broker's client can do to MassTransit's outbox delivery.</summary>
public sealed class DeliveryTests : WorkerTest
{
    [Fact]
    public async Task A_send_that_never_ends_does_not_stop_the_delivery()
    {
        var worker = await StartWorkerAsync();
        var hanging = new FirstSendHangs();
        worker.Bus.Bus.ConnectSendObserver(hanging);

        var task = await worker.FinishedAsync(await worker.SubmitAsync(new TestParameters()));

        hanging.Sends.ShouldBeGreaterThan(1);
        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (await Database.CountAsync("heavy_task_attempts")).ShouldBe(1);
    }

    // RabbitMQ.Client 7.1 does this when its channel closes during a declaration, whatever the token says.
    private sealed class FirstSendHangs : ISendObserver
    {
        private readonly TaskCompletionSource never = new();
        private int sends;

        public int Sends => Volatile.Read(ref sends);

        public Task PreSend<T>(SendContext<T> context)
            where T : class =>
            typeof(T) == typeof(SerializedMessageBody) && Interlocked.Increment(ref sends) == 1 ? never.Task : Task.CompletedTask;

        public Task PostSend<T>(SendContext<T> context)
            where T : class => Task.CompletedTask;

        public Task SendFault<T>(SendContext<T> context, Exception exception)
            where T : class => Task.CompletedTask;
    }
}
