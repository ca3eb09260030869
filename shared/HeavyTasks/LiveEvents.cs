using MassTransit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;
using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>Publishes Started and Progressed when <see cref="HeavyTaskOptions.LiveEvents"/> is on: unconfirmed, not awaited, never at a task's cost.</summary>
internal sealed partial class LiveEvents(IBus bus, IOptions<HeavyTaskOptions> options, ILogger<LiveEvents> logger)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    public void Started(ClaimedHeavyTask task, string worker)
    {
        if (options.Value.LiveEvents)
        {
            _ = PublishAsync(new HeavyTaskStarted(task.Id, task.Kind, task.Attempt, worker));
        }
    }

    public void Progressed(RunningTask task, Progress progress)
    {
        if (options.Value.LiveEvents)
        {
            _ = PublishAsync(new HeavyTaskProgressed(task.Fence.TaskId, task.Kind, task.Fence.Attempt, progress.Done, progress.Total, progress.Text));
        }
    }

    private async Task PublishAsync<T>(T message)
        where T : class
    {
        try
        {
            using var timeout = new CancellationTokenSource(Timeout);
            await bus.Publish(message, context =>
            {
                context.Durable = false;
                if (context.TryGetPayload<RabbitMqSendContext>(out var rabbitMq))
                {
                    rabbitMq.AwaitAck = false;
                }
            }, timeout.Token);
        }
        catch (Exception exception)
        {
            NotPublished(logger, typeof(T).Name, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A {Event} event was not published.")]
    private static partial void NotPublished(ILogger logger, string @event, Exception exception);
}
