using MassTransit;
using MassTransit.Transports.Fabric;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Routes <see cref="HeavyTaskRequested"/> through a direct exchange whose routing key is the kind, so that each kind has its own queue.
/// Publisher and consumer both call this, on RabbitMQ and in memory.
/// </summary>
public static class HeavyTaskTopology
{
    private const string QueuePrefix = "heavy-task.";

    /// <summary>The name of a kind's queue.</summary>
    public static string QueueName(string kind) => $"{QueuePrefix}{kind}";

    /// <summary>Whether an address is that of a kind's queue.</summary>
    public static bool IsQueue(Uri address) =>
        Path.GetFileName(address?.AbsolutePath)?.StartsWith(QueuePrefix, StringComparison.Ordinal) == true;

    /// <summary>Whether an address is that of this kind's queue.</summary>
    internal static bool IsQueueOf(Uri address, string kind) => Path.GetFileName(address?.AbsolutePath) == QueueName(kind);

    /// <summary>Declares the exchange and the routing key.</summary>
    public static void UseHeavyTaskTopology(this IBusFactoryConfigurator bus)
    {
        bus.SendTopology.UseRoutingKeyFormatter<HeavyTaskRequested>(context => context.Message.Kind);
        if (bus is IRabbitMqBusFactoryConfigurator rabbitMq)
        {
            rabbitMq.Publish<HeavyTaskRequested>(topology => topology.ExchangeType = RabbitMQ.Client.ExchangeType.Direct);
        }
        else if (bus is IInMemoryBusFactoryConfigurator inMemory)
        {
            inMemory.Publish<HeavyTaskRequested>(topology => topology.ExchangeType = ExchangeType.Direct);
        }
        else
        {
            throw new NotSupportedException(
                $"No heavy-task topology for {bus?.GetType().Name}: RabbitMQ and the in-memory transport are supported."
            );
        }
    }

    /// <summary>Binds a receive endpoint to the requests of one kind.</summary>
    public static void BindHeavyTaskKind(this IReceiveEndpointConfigurator endpoint, IRegistrationContext context, string kind)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.ConfigureConsumeTopology = false;
        if (endpoint is IRabbitMqReceiveEndpointConfigurator rabbitMq)
        {
            rabbitMq.SetQuorumQueue();
            rabbitMq.ConfigureChannel(channel => channel.UseFilter(ActivatorUtilities.CreateInstance<QueueDeclaration>(context)));
            rabbitMq.Bind<HeavyTaskRequested>(binding =>
            {
                binding.ExchangeType = RabbitMQ.Client.ExchangeType.Direct;
                binding.RoutingKey = kind;
            });
        }
        else if (endpoint is IInMemoryReceiveEndpointConfigurator inMemory)
        {
            inMemory.Bind<HeavyTaskRequested>(ExchangeType.Direct, kind);
        }
    }
}
