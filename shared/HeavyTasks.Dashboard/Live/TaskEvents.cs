using System.Collections.Concurrent;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.Contracts;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>
/// Hears on the bus that tasks have ended, so that who looks at one sees it at once and not with the next read. It listens only while somebody
/// looks at a task, with a queue that the broker deletes with the connection and that holds 10,000 messages at most. What is lost, or comes late,
/// does not matter: the page is read in any case.
/// </summary>
internal sealed partial class TaskEvents(IServiceProvider services, TimeProvider time, ILogger<TaskEvents> logger)
    : PollingLoop(TimeSpan.FromSeconds(1), time, logger)
{
    private const int MaxMessages = 10_000;

    // Between two pages of the same person.
    private static readonly TimeSpan Linger = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Watch, Guid> watches = new();
    private HostReceiveEndpointHandle? endpoint;
    private long watchedAt;

    /// <summary>Calls <paramref name="ended"/> when the task ends, on any thread, until the result is disposed.</summary>
    public IDisposable Begin(Guid task, Action ended)
    {
        var watch = new Watch(this, ended);
        watches[watch] = task;
        return watch;
    }

    /// <inheritdoc />
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        if (!watches.IsEmpty)
        {
            watchedAt = Time.GetTimestamp();
            endpoint ??= Connect();
        }
        else if (endpoint is { } idle && Time.GetElapsedTime(watchedAt) > Linger)
        {
            // Whatever becomes of it, the next one is another queue.
            endpoint = null;
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            limit.CancelAfter(StopTimeout);
            await idle.StopAsync(limit.Token).WaitAsync(limit.Token);
        }
    }

    // An application whose bus cannot be added to has pages that are read every two seconds.
    private HostReceiveEndpointHandle? Connect() =>
        services
            .GetService<IReceiveEndpointConnector>()
            ?.ConnectReceiveEndpoint(
                new TemporaryEndpointDefinition("heavy-task-dashboard"),
                DefaultEndpointNameFormatter.Instance,
                (_, configurator) =>
                {
                    if (configurator is IRabbitMqReceiveEndpointConfigurator rabbitMq)
                    {
                        rabbitMq.SetQueueArgument("x-max-length", MaxMessages);
                        rabbitMq.SetQueueArgument("x-message-ttl", (int)StopTimeout.TotalMilliseconds);
                    }

                    configurator.Handler<HeavyTaskSucceeded>(context => EndedAsync(context.Message.TaskId));
                    configurator.Handler<HeavyTaskFailed>(context => EndedAsync(context.Message.TaskId));
                    configurator.Handler<HeavyTaskCancelled>(context => EndedAsync(context.Message.TaskId));
                }
            );

    private Task EndedAsync(Guid task)
    {
        foreach (var (watch, _) in watches.Where(watch => watch.Value == task))
        {
            try
            {
                watch.Ended();
            }
            catch (Exception exception)
            {
                // The others hear of it, and the message is done.
                NotTold(logger, task, exception);
            }
        }

        return Task.CompletedTask;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A page could not be told that task {TaskId} has ended.")]
    private static partial void NotTold(ILogger logger, Guid taskId, Exception exception);

    private sealed class Watch(TaskEvents events, Action ended) : IDisposable
    {
        public Action Ended => ended;

        public void Dispose() => events.watches.TryRemove(this, out _);
    }
}
