using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>
/// Runs heavy work inside the web service, in the ways people host it. Only <c>--hosting</c> differs: endpoints, work and connections are
/// the same.
/// </summary>
internal static class WebService
{
    public static async Task RunAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

        // Exhausted pools would fill the log with the same error, which is counted instead. Only the address is logged.
        builder.Logging.AddFilter((category, _) => category == "Microsoft.Hosting.Lifetime");

        var hosting = builder.Configuration["hosting"] ?? "scoped";
        var connectionString = builder.Configuration.GetConnectionString("Platform")!;
        var connections = builder.Configuration.GetValue("connections", 15);
        var heavyConnections = builder.Configuration.GetValue("heavy-connections", 8);

        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<WorkCounts>();
        builder.Services.AddSingleton<BackgroundWork>();
        builder.Services.AddHostedService<BackgroundWorkers>();
        builder.Services.AddPool<PlatformDbContext>(
            connectionString,
            "web",
            hosting == "own-pool" ? connections - heavyConnections : connections
        );
        IWorkHosting workHosting = hosting switch
        {
            "disposed" => new DisposedContext(),
            "captured" => new CapturedContext(),
            "scoped" => new OwnScope(),
            "own-pool" => new OwnPool(connectionString, heavyConnections),
            _ => throw new ArgumentException($"--hosting {hosting}: disposed, captured, scoped or own-pool is expected."),
        };
        builder.Services.AddSingleton(workHosting);

        var app = builder.Build();
        app.MapGet("/users/{id:long}", LightEndpoint.HandleAsync);
        app.MapPost("/heavy-tasks", HeavyEndpoint.Handle);
        app.MapGet("/counts", (WorkCounts counts) => counts.Read());
        await app.RunAsync();
    }
}
