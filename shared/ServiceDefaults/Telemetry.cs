using System.Reflection;
using MassTransit.Logging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Platform.HeavyTasks;

namespace Platform.ServiceDefaults;

/// <summary>
/// Traces and metrics over OTLP. <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> switches it on and is all that must be set; the exporter's other
/// standard variables (<c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, <c>OTEL_METRIC_EXPORT_INTERVAL</c>, ...) apply.
/// </summary>
public static class Telemetry
{
    private static readonly string[] Sources =
    [
        "Microsoft.AspNetCore",
        DatabaseProvider.TelemetryName,
        DiagnosticHeaders.DefaultListenerName,
    ];

    private static readonly string[] Meters =
    [
        "Platform.*",
        DatabaseProvider.TelemetryName,
        "MassTransit",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Runtime",
    ];

    /// <summary>Exports what ASP.NET Core, MassTransit, the database driver and this platform tell about themselves.</summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="configuration">Where the endpoint stands.</param>
    /// <param name="serviceName">The resource's <c>service.name</c>.</param>
    public static IServiceCollection AddPlatformTelemetry(
        this IServiceCollection services,
        IConfiguration configuration,
        string serviceName
    )
    {
        ArgumentNullException.ThrowIfNull(configuration);
        if (string.IsNullOrWhiteSpace(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return services;
        }

        var version = Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3);
        services
            .AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService(
                    serviceName,
                    serviceVersion: version,
                    serviceInstanceId: $"{Environment.MachineName}:{Environment.ProcessId}"
                )
            )
            .WithTracing(traces => traces.AddSource(Sources).AddOtlpExporter())
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddOtlpExporter());
        return services;
    }
}
