using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Configures the receive endpoints of a worker: which queues it reads, how many tasks run at once, and what happens to a message that
/// cannot be read.
/// </summary>
public static class HeavyTaskQueues
{
    /// <summary>Registers the consumer of heavy tasks with the bus.</summary>
    public static void AddHeavyTaskConsumer(this IBusRegistrationConfigurator bus) => bus.AddConsumer<HeavyTaskConsumer>();

    /// <summary>
    /// Adds one receive endpoint per kind: each has its own queue and limit, and all share one consumer. Works on RabbitMQ and in memory.
    /// </summary>
    public static void AddHeavyTaskQueues(this IBusFactoryConfigurator bus, IBusRegistrationContext context)
    {
        ArgumentNullException.ThrowIfNull(bus);
        var options = context.GetRequiredService<IOptions<HeavyTaskOptions>>().Value;
        var kinds = context.GetRequiredService<HandledKinds>();
        kinds.AreReceived = true;
        foreach (var kind in kinds.All)
        {
            var queue = HeavyTaskTopology.QueueName(kind.Name);
            bus.ReceiveEndpoint(
                queue,
                endpoint =>
                {
                    endpoint.BindHeavyTaskKind(context, kind.Name);

                    // The prefetch count equals the number of slots: another worker could run any message that waits here. HeavyTaskSlots
                    // is the real limit.
                    endpoint.PrefetchCount = options.Of(kind.Name).Concurrency;
                    endpoint.ConcurrentMessageLimit = options.Of(kind.Name).Concurrency;

                    // A task's outcome has its own event. Nobody would read Fault<HeavyTaskRequested>.
                    endpoint.PublishFaults = false;
                    var poison = new PoisonMessageFilter(context, queue);
                    endpoint.ConfigureError(pipe => pipe.UseFilter(poison));
                    endpoint.ConfigureDeadLetter(pipe => pipe.UseFilter(poison));
                    endpoint.UseFilter(new DeliveryFilter());
                    context.ConfigureConsumer<HeavyTaskConsumer>(endpoint);
                }
            );
        }
    }
}
