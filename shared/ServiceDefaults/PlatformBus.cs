using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks;
using Platform.Outbox;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>Sets up the bus of a service.</summary>
public static class PlatformBus
{
    /// <summary>
    /// How long a receive endpoint that lost its channel waits for running consumers before it consumes again. The time is short, because a
    /// running task does not depend on its channel.
    /// </summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Adds MassTransit on RabbitMQ (section <c>RabbitMq</c>) with the heavy tasks' topology and the outbox. One connection consumes, and
    /// another publishes what the outbox holds. The two are separate because an alarm of the broker blocks connections that publish, and
    /// finished tasks must still be acknowledged.
    /// </summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="serviceName">The name of the connections in the broker's management UI.</param>
    /// <param name="configureBus">Adds the consumers of the service.</param>
    /// <param name="configureEndpoints">Adds the receive endpoints of the service.</param>
    public static IServiceCollection AddPlatformBus(
        this IServiceCollection services,
        string serviceName,
        Action<IBusRegistrationConfigurator>? configureBus = null,
        Action<IBusRegistrationContext, IBusFactoryConfigurator>? configureEndpoints = null
    )
    {
        services.AddOptions<RabbitMqOptions>().BindConfiguration("RabbitMq").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IValidateOptions<RabbitMqOptions>, BrokerCertificateCheck>();
        services.AddSingleton<BrokerCertificate>();
        services
            .AddOptions<MassTransitHostOptions>()
            .Configure(options =>
            {
                options.WaitUntilStarted = false;
                options.StopTimeout = StopTimeout;
            });
        services.AddPublishingBus<IPublishBus>(serviceName, "publish");
        services.AddPublishingBus<IProbeBus>(serviceName, "probe");
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.ReportBrokerOutageAsDegraded("broker");
            bus.AddOutbox<PlatformDbContext>();
            configureBus?.Invoke(bus);
            bus.UsingRabbitMq(
                (context, rabbitMq) =>
                {
                    Configure(context, rabbitMq, serviceName);
                    configureEndpoints?.Invoke(context, rabbitMq);
                }
            );
        });

        // Registered after the bus, so that it stops before the bus does.
        services.AddHostedService<ReceiveEndpointWatch>();
        return services;
    }

    private static void AddPublishingBus<TBus>(this IServiceCollection services, string serviceName, string purpose)
        where TBus : class, IBus =>
        services.AddMassTransit<TBus>(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.ReportBrokerOutageAsDegraded($"broker-{purpose}");
            bus.UsingRabbitMq(
                (context, rabbitMq) =>
                    Configure(
                        context,
                        rabbitMq,
                        $"{serviceName} {purpose}",
                        host => host.OnRefreshConnectionFactory = context.GetRequiredService<BusConnection<TBus>>().WatchAsync
                    )
            );
        });

    private static void Configure(
        IBusRegistrationContext context,
        IRabbitMqBusFactoryConfigurator rabbitMq,
        string connectionName,
        Action<IRabbitMqHostConfigurator>? configureHost = null
    )
    {
        var options = context.GetRequiredService<IOptions<RabbitMqOptions>>().Value;
        var certificate = context.GetRequiredService<BrokerCertificate>();
        rabbitMq.Host(
            certificate.Address,
            host =>
            {
                certificate.Configure(host);
                host.ConnectionName($"{connectionName} {Environment.MachineName} {Environment.ProcessId}");
                host.Heartbeat(options.Heartbeat);
                host.ContinuationTimeout(options.AnswerTimeout);
                host.RequestedConnectionTimeout(TimeSpan.FromSeconds(5));
                if (options.Nodes.Count > 0)
                {
                    host.UseCluster(cluster =>
                    {
                        foreach (var node in options.Nodes)
                        {
                            cluster.Node(node);
                        }
                    });
                }

                configureHost?.Invoke(host);
            }
        );

        // By default messages are indented, and that white space would be stored, sent and stored again.
        rabbitMq.ConfigureJsonSerializerOptions(json => new JsonSerializerOptions(json) { WriteIndented = false });
        rabbitMq.UseHeavyTaskTopology();
    }
}
