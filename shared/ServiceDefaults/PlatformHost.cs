using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>Sets up what every process of the system has in common, so that its Program.cs contains only what is specific to it.</summary>
public static class PlatformHost
{
    /// <summary>
    /// Runs the command that the arguments name: <c>migrate</c> (<see cref="DatabaseMigration"/>), <c>create-key</c> (
    /// <see cref="CreateKeyCommand"/>) or <c>health</c> (<see cref="HealthCommand"/>). Without a command, creates the builder of a service
    /// with migration check, telemetry, bus, database and health checks. Settings are read from the assembly's folder, wherever the process
    /// is started from.
    /// </summary>
    /// <param name="args">The arguments of the process.</param>
    /// <param name="name">
    /// The name of the service's connections to the broker. With the prefix <c>platform-</c> it is also their name at the database and in
    /// telemetry.
    /// </param>
    /// <param name="defaultUrl">The address to listen on unless another is set; on loopback.</param>
    /// <returns>The builder, or null when a command has run and the process must end; its exit code is set.</returns>
    public static Task<WebApplicationBuilder?> CreateBuilderAsync(string[] args, string name, string defaultUrl) =>
        CreateAsync(args, name, defaultUrl, configureBus: null, configureEndpoints: null);

    /// <summary>
    /// Does the same and adds a queue for each kind of task. Call <c>AddHeavyTasks</c>, which names the kinds that the service runs, after
    /// this, so that the tasks stop before the bus and the database do.
    /// </summary>
    /// <inheritdoc cref="CreateBuilderAsync"/>
    public static Task<WebApplicationBuilder?> CreateWorkerBuilderAsync(string[] args, string name, string defaultUrl) =>
        CreateAsync(args, name, defaultUrl, bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskQueues(context));

    private static async Task<WebApplicationBuilder?> CreateAsync(
        string[] args,
        string name,
        string defaultUrl,
        Action<IBusRegistrationConfigurator>? configureBus,
        Action<IBusRegistrationContext, IBusFactoryConfigurator>? configureEndpoints
    )
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        switch (args)
        {
            case [DatabaseMigration.Command]:
                var applied = await DatabaseMigration.MigrateAsync(ConnectionStrings.Of(builder.Configuration));
                Console.WriteLine(applied.Count > 0 ? $"Applied {string.Join(", ", applied)}." : "The database is up to date.");
                return null;
            case [CreateKeyCommand.Name, ..]:
                Environment.ExitCode = await CreateKeyCommand.RunAsync(args, ConnectionStrings.Of(builder.Configuration));
                return null;
            case [HealthCommand.Name]:
                Environment.ExitCode = await HealthCommand.RunAsync(builder.Configuration, defaultUrl);
                return null;
        }

        // A default here and not in appsettings.json, which would override ASPNETCORE_URLS.
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null)
        {
            builder.WebHost.UseUrls(defaultUrl);
        }

        builder.RestrictHostsOnLoopback();
        builder.LimitRequests();
        builder.Logging.AddCleanConsole();

        DriverFaults.Tolerate();

        // Registered first, before everything that starts with the process.
        builder.Services.AddMigrationCheck();
        builder.Services.AddPlatformTelemetry(builder.Configuration, $"platform-{name}");
        builder.Services.AddPlatformBus(name, configureBus, configureEndpoints);
        builder.Services.AddPlatformDatabase($"platform-{name}");
        builder.Services.AddPlatformHealth();
        return builder;
    }
}
