using System.Text.Json;
using MassTransit;
using RabbitMQ.Client;

namespace Platform.Bare;

/// <summary>The platform's message, byte for byte: the same name, fields and exchange.</summary>
[EntityName(Exchange)]
[MessageUrn("Platform.Contracts:HeavyTaskRequested")]
public sealed record BareMessage(Guid TaskId, string Kind)
{
    internal const string Exchange = "Platform.Contracts:HeavyTaskRequested";
}

/// <summary>Sets up MassTransit on RabbitMQ with the platform's topology: a direct exchange, and a quorum queue for each kind.</summary>
internal static class BareBus
{
    /// <param name="services">The services of the process.</param>
    /// <param name="configuration">
    /// Names the broker (<c>RabbitMq</c>) and the consumer's prefetch and kind (<c>Bare</c>); without prefetch there is no consumer.
    /// </param>
    public static void AddBareBus(this IServiceCollection services, IConfiguration configuration)
    {
        var prefetch = configuration.GetValue<ushort>("Bare:Prefetch");
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            if (prefetch > 0)
            {
                bus.AddConsumer<RowConsumer>();
            }

            bus.UsingRabbitMq(
                (context, rabbitMq) =>
                {
                    rabbitMq.Host(
                        configuration.GetValue<Uri>("RabbitMq:Uri"),
                        host =>
                        {
                            host.ConnectionName("bare");
                            host.Heartbeat(configuration.GetValue("RabbitMq:Heartbeat", TimeSpan.FromSeconds(10)));
                            host.ContinuationTimeout(configuration.GetValue("RabbitMq:AnswerTimeout", TimeSpan.FromSeconds(20)));
                        }
                    );
                    rabbitMq.ConfigureJsonSerializerOptions(json => new JsonSerializerOptions(json) { WriteIndented = false });
                    rabbitMq.SendTopology.UseRoutingKeyFormatter<BareMessage>(message => message.Message.Kind);
                    rabbitMq.Publish<BareMessage>(topology => topology.ExchangeType = ExchangeType.Direct);
                    if (prefetch > 0)
                    {
                        rabbitMq.AddRowEndpoint(context, configuration["Bare:Kind"]!, prefetch);
                    }
                }
            );
        });
    }

    private static void AddRowEndpoint(
        this IRabbitMqBusFactoryConfigurator bus,
        IBusRegistrationContext context,
        string kind,
        ushort prefetch
    ) =>
        bus.ReceiveEndpoint(
            $"heavy-task.{kind}",
            endpoint =>
            {
                endpoint.ConfigureConsumeTopology = false;
                endpoint.SetQuorumQueue();
                endpoint.Bind(
                    BareMessage.Exchange,
                    binding =>
                    {
                        binding.ExchangeType = ExchangeType.Direct;
                        binding.RoutingKey = kind;
                    }
                );
                endpoint.PrefetchCount = prefetch;
                endpoint.ConcurrentMessageLimit = prefetch;
                endpoint.ConfigureConsumer<RowConsumer>(context);
            }
        );
}
