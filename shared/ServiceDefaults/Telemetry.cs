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
/// Sends traces and metrics over OTLP. To switch this on, only <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> must be set; the exporter's other
/// standard variables (<c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, <c>OTEL_METRIC_EXPORT_INTERVAL</c>, ...) apply as well.
/// </summary>
public static class Telemetry
{
    private static readonly string[] Sources =
    [
        "Platform.HeavyTasks",
        Dialect.Current.TelemetryName,
        DiagnosticHeaders.DefaultListenerName,
    ];

    private static readonly string[] Meters =
    [
        "Platform.*",
        Dialect.Current.TelemetryName,
        "MassTransit",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "System.Runtime",
    ];

    /// <summary>Exports the traces and metrics of ASP.NET Core, MassTransit, the database driver and this platform.</summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="configuration">The configuration that contains the endpoint.</param>
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
            .WithTracing(traces =>
                traces
                    .AddAspNetCoreInstrumentation(options =>
                        options.Filter = http => !http.Request.Path.StartsWithSegments("/health", StringComparison.OrdinalIgnoreCase)
                    )
                    .AddSource(Sources)
                    // Before the exporter, which it keeps from exporting.
                    .AddProcessor(new IdlePolling())
                    .AddOtlpExporter()
            )
            .WithMetrics(metrics => metrics.AddMeter(Meters).AddOtlpExporter());
        return services;
    }
}
