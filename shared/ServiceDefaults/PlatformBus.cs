using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks;
using Platform.Outbox;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>The bus of a service.</summary>
public static class PlatformBus
{
    /// <summary>
    /// How long a receive endpoint that lost its channel waits for running consumers before it consumes again. Short, because a
    /// running task does not depend on its channel.
    /// </summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Adds MassTransit on RabbitMQ (section <c>RabbitMq</c>) with the heavy tasks' topology and the outbox: two connections, one that
    /// consumes and one that publishes what the outbox holds, so that an alarm of the broker, which blocks whoever publishes, does not
    /// keep finished tasks from being acknowledged.
    /// </summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="serviceName">Name of the connections in the broker's management UI.</param>
    /// <param name="configureBus">Consumers of the service.</param>
    /// <param name="configureEndpoints">Receive endpoints of the service.</param>
    public static IServiceCollection AddPlatformBus(
        this IServiceCollection services,
        string serviceName,
        Action<IBusRegistrationConfigurator>? configureBus = null,
        Action<IBusRegistrationContext, IBusFactoryConfigurator>? configureEndpoints = null
    )
    {
        services.AddOptions<RabbitMqOptions>().BindConfiguration("RabbitMq").ValidateDataAnnotations().ValidateOnStart();
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

        // After the bus, so that it ends before the bus does.
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
        rabbitMq.Host(
            options.Uri,
            host =>
            {
                host.ConnectionName($"{connectionName} {Environment.MachineName} {Environment.ProcessId}");
                host.Heartbeat(options.Heartbeat);
                host.ContinuationTimeout(options.AnswerTimeout);
                host.RequestedConnectionTimeout(TimeSpan.FromSeconds(5));
                configureHost?.Invoke(host);
            }
        );

        // Messages are indented otherwise: white space that is stored, sent and stored again.
        rabbitMq.ConfigureJsonSerializerOptions(json => new JsonSerializerOptions(json) { WriteIndented = false });
        rabbitMq.UseHeavyTaskTopology();
    }
}
