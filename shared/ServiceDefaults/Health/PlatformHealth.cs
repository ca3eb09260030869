using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.ServiceDefaults;

/// <summary>
/// <c>/health/live</c>: the process answers. <c>/health/ready</c>: it can work, which needs the database. Without the broker the Api goes on
/// accepting tasks and a worker finishes those it has, so that is <c>Degraded</c> and still 200.
/// </summary>
public static class PlatformHealth
{
    /// <summary>Adds the check of the database to those of bus and pool budget.</summary>
    public static IServiceCollection AddPlatformHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<DatabaseHealthCheck>("database");
        return services;
    }

    /// <summary>Maps both addresses.</summary>
    public static void MapPlatformHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync });
    }

    internal static void ReportBrokerOutageAsDegraded(this IBusRegistrationConfigurator bus, string name) =>
        bus.ConfigureHealthCheckOptions(options => ReportAsDegraded(options, name));

    internal static void ReportBrokerOutageAsDegraded<TBus>(this IBusRegistrationConfigurator<TBus> bus, string name)
        where TBus : class, IBus => bus.ConfigureHealthCheckOptions(options => ReportAsDegraded(options, name));

    private static void ReportAsDegraded(IHealthCheckOptionsConfigurator options, string name)
    {
        options.Name = name;
        options.MinimalFailureStatus = HealthStatus.Degraded;
    }

    // Without descriptions and exceptions: they name hosts.
    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new { Status = report.Status.ToString(), Checks = report.Entries.ToDictionary(e => e.Key, e => e.Value.Status.ToString()) }
        );
}
