using System.Reflection;
using MassTransit.Logging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>
/// Traces and metrics over OTLP. <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> switches it on and is all that must be set; the exporter's other
/// standard variables (<c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, <c>OTEL_METRIC_EXPORT_INTERVAL</c>, ...) apply.
/// </summary>
public static class Telemetry
{
    private static readonly string[] Sources = ["Microsoft.AspNetCore", DatabaseProvider.TelemetryName, DiagnosticHeaders.DefaultListenerName];

    private static readonly string[] Meters =
    [
        "Platform.*", DatabaseProvider.TelemetryName, "MassTransit", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime",
    ];

    /// <summary>Exports what ASP.NET Core, MassTransit, the database driver and this platform tell about themselves.</summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="configuration">Where the endpoint stands.</param>
    /// <param name="serviceName">The resource's <c>service.name</c>.</param>
    public static IServiceCollection AddPlatformTelemetry(this IServiceCollection services, IConfiguration configuration, string serviceName)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (string.IsNullOrWhiteSpace(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return services;
        }

        var version = Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3);
        var resource = ResourceBuilder.CreateDefault().AddService(serviceName, serviceVersion: version, serviceInstanceId: $"{Environment.MachineName}:{Environment.ProcessId}");
        return services.AddHostedService(_ => new Exporter(resource));
    }

    // Started first and stopped last of the services registered after it, so that it sees all of their work.
    private sealed class Exporter(ResourceBuilder resource) : IHostedService, IDisposable
    {
        private TracerProvider? traces;
        private MeterProvider? metrics;

        public Task StartAsync(CancellationToken cancellationToken)
        {
            traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Sources).AddOtlpExporter().Build();
            metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Meters).AddOtlpExporter().Build();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            traces?.ForceFlush((int)TimeSpan.FromSeconds(5).TotalMilliseconds);
            metrics?.ForceFlush((int)TimeSpan.FromSeconds(5).TotalMilliseconds);
            return Task.CompletedTask;
        }

        public void Dispose()
        {
            traces?.Dispose();
            metrics?.Dispose();
        }
    }
}
