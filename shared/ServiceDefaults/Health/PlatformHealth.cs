using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.ServiceDefaults;

/// <summary>
/// <c>/health/live</c> answers when the process does, with 503 when all slots of a kind are stuck, so that it should be restarted. <c>/health/ready</c> answers 200 when the service can work, which needs the database.
/// Without the broker the Api still accepts tasks and a worker finishes those it has, so a lost broker is only <c>Degraded</c>, still with
/// 200.
/// </summary>
public static class PlatformHealth
{
    // By default a health check answers every method.
    private static readonly HttpMethodMetadata GetAndHead = new([HttpMethods.Get, HttpMethods.Head]);

    /// <summary>Adds the check of the database to the checks of the bus and of the pool budget.</summary>
    public static IServiceCollection AddPlatformHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<DatabaseHealthCheck>("database");
        return services;
    }

    /// <summary>Maps both addresses. They answer everybody: whoever restarts a process has no key.</summary>
    public static void MapPlatformHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks(
                "/health/live",
                new HealthCheckOptions { Predicate = check => check.Tags.Contains("live"), ResponseWriter = WriteAsync }
            )
            .WithMetadata(GetAndHead)
            .AllowAnonymous();
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync })
            .WithMetadata(GetAndHead)
            .AllowAnonymous();
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

    // The answer leaves out descriptions and exceptions, because they name hosts.
    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(
            new { Status = report.Status.ToString(), Checks = report.Entries.ToDictionary(e => e.Key, e => e.Value.Status.ToString()) }
        );
}
