using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
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

    /// <summary>Adds MassTransit on RabbitMQ (section <c>RabbitMq</c>) with the heavy tasks' topology.</summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="serviceName">Name of the connection in the broker's management UI.</param>
    /// <param name="configureBus">Consumers of the service.</param>
    /// <param name="configureEndpoints">Receive endpoints of the service.</param>
    public static IServiceCollection AddPlatformBus(
        this IServiceCollection services,
        string serviceName,
        Action<IBusRegistrationConfigurator>? configureBus = null,
        Action<IBusRegistrationContext, IBusFactoryConfigurator>? configureEndpoints = null)
    {
        services.AddOptions<RabbitMqOptions>().BindConfiguration("RabbitMq").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<MassTransitHostOptions>().Configure(options =>
        {
            options.WaitUntilStarted = false;
            options.StopTimeout = StopTimeout;
        });
        services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.ReportBrokerOutageAsDegraded();
            bus.AddPlatformOutbox();
            configureBus?.Invoke(bus);
            bus.UsingRabbitMq((context, rabbitMq) =>
            {
                var options = context.GetRequiredService<IOptions<RabbitMqOptions>>().Value;
                rabbitMq.Host(options.Uri, host =>
                {
                    host.ConnectionName($"{serviceName} {Environment.MachineName} {Environment.ProcessId}");
                    host.Heartbeat(options.Heartbeat);
                    host.ContinuationTimeout(options.AnswerTimeout);
                    host.RequestedConnectionTimeout(TimeSpan.FromSeconds(5));
                });

                // Messages are indented otherwise: white space that is stored, sent and stored again.
                rabbitMq.ConfigureJsonSerializerOptions(json => new JsonSerializerOptions(json) { WriteIndented = false });
                rabbitMq.UseHeavyTaskTopology();
                configureEndpoints?.Invoke(context, rabbitMq);
            });
        });

        // After the bus, so that it ends before the bus does.
        services.AddHostedService<ReceiveEndpointWatch>();
        return services;
    }
}
