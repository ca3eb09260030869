using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks;

namespace Platform.ServiceDefaults;

/// <summary>
/// Restarts a receive endpoint that has not been ready for <see cref="RabbitMqOptions.EndpointTimeout"/>. RabbitMQ.Client reports an answer
/// that did not come in time as a cancellation, and MassTransit before 8.5.2 took a cancellation for a stop and ended the endpoint for good
/// (ReceiveTransport.Run): without this watch a process could go on and never consume again. Running tasks do not depend on their endpoint.
/// While the broker is away, a restart is just one more attempt to connect.
/// </summary>
internal sealed partial class ReceiveEndpointWatch(
    IBusControl bus,
    IServiceProvider services,
    IHostApplicationLifetime lifetime,
    IOptions<RabbitMqOptions> options,
    TimeProvider time,
    ILogger<ReceiveEndpointWatch> logger
) : PollingLoop(TimeSpan.FromSeconds(1), time, logger)
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<IReceiveEndpoint, long> notReadySince = [];

    // Only a worker has them.
    private readonly HeavyTaskReceivers? receivers = services.GetService<HeavyTaskReceivers>();

    /// <inheritdoc />
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        // A draining worker stops its endpoints itself, long before this service is stopped.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        foreach (var health in either.IsCancellationRequested ? [] : bus.CheckHealth().Endpoints.Values)
        {
            var endpoint = health.ReceiveEndpoint;
            if (health.Status == BusHealthStatus.Healthy || receivers?.IsStopped(endpoint) == true)
            {
                notReadySince.Remove(endpoint);
            }
            else if (!notReadySince.TryGetValue(endpoint, out var since))
            {
                notReadySince.Add(endpoint, Time.GetTimestamp());
            }
            else if (Time.GetElapsedTime(since) > options.Value.EndpointTimeout)
            {
                await RestartAsync(health, either.Token);
                notReadySince[endpoint] = Time.GetTimestamp();
            }
        }
    }

    private async Task RestartAsync(EndpointHealthResult health, CancellationToken cancellationToken)
    {
        Restarting(logger, health.Exception, health.InputAddress, health.Description);
        try
        {
            // Stop twice: an endpoint whose loop hangs does not end at the first stop; the second stop abandons it.
            if (await StopAsync(health.ReceiveEndpoint, cancellationToken) || await StopAsync(health.ReceiveEndpoint, cancellationToken))
            {
                if (receivers is null)
                {
                    health.ReceiveEndpoint.Start(CancellationToken.None);
                }
                else
                {
                    receivers.StartUnlessStopped(health.ReceiveEndpoint);
                }
            }
            else
            {
                NotStopped(logger, health.InputAddress);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process is stopping, and its endpoints stop with it.
        }
        catch (Exception exception)
        {
            NotRestarted(logger, exception, health.InputAddress);
        }
    }

    private static async Task<bool> StopAsync(IReceiveEndpoint endpoint, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StopTimeout);
        try
        {
            await endpoint.Stop(limit.Token).WaitAsync(limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Receive endpoint {Address} does not stop; it is tried again.")]
    private static partial void NotStopped(ILogger logger, Uri address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Receive endpoint {Address} is not ready ({State}); it is started anew.")]
    private static partial void Restarting(ILogger logger, Exception? exception, Uri address, string? state);

    [LoggerMessage(Level = LogLevel.Error, Message = "Receive endpoint {Address} could not be started anew.")]
    private static partial void NotRestarted(ILogger logger, Exception exception, Uri address);
}
