using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>The receive endpoints of a worker, and with them the policy: which queue, how many at once, and what happens to a message that cannot be read.</summary>
public static class HeavyTaskQueues
{
    /// <summary>Registers the consumer of heavy tasks with the bus.</summary>
    public static void AddHeavyTaskConsumer(this IBusRegistrationConfigurator bus) => bus.AddConsumer<HeavyTaskConsumer>();

    /// <summary>One receive endpoint per kind: its own queue, its own limit, the same consumer. On RabbitMQ and in memory alike.</summary>
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

                    // Prefetch equals the slots: a message that waits here is one that another worker could run. The real limit is HeavyTaskSlots.
                    endpoint.PrefetchCount = options.Of(kind.Name).Concurrency;
                    endpoint.ConcurrentMessageLimit = options.Of(kind.Name).Concurrency;

                    // A task's outcome is its own event; Fault<HeavyTaskRequested> would have no reader.
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
