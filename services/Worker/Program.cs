using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

// Settings stand beside the assembly, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

// Only for health checks; loopback unless told otherwise. Not in appsettings.json, which would win over ASPNETCORE_URLS.
if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null)
{
    builder.WebHost.UseUrls("http://127.0.0.1:5081");
}

builder.Services.AddPlatformTelemetry(builder.Configuration, "platform-worker");

// Which kinds: every handler in this assembly. How many at once, and which pool: appsettings.json.
builder.Services.AddPlatformBus("worker", bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskEndpoints(context));
builder.Services.AddPlatformDatabase("platform-worker");
builder.Services.AddMigrationCheck();
builder.Services.AddHeavyTasks(typeof(Program).Assembly);

var app = builder.Build();
app.MapGet("/health/live", () => Results.Ok());
await app.RunAsync();
