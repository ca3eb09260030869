using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

// Settings stand beside the assembly, wherever it is started from.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

// Only for health checks; loopback unless told otherwise. Not in appsettings.json, which would win over ASPNETCORE_URLS.
const string DefaultUrl = "http://127.0.0.1:5081";
if (args is [HealthCommand.Name])
{
    Environment.ExitCode = await HealthCommand.RunAsync(builder.Configuration, DefaultUrl);
    return;
}

if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null)
{
    builder.WebHost.UseUrls(DefaultUrl);
}

builder.Services.AddMigrationCheck();
builder.Services.AddPlatformTelemetry(builder.Configuration, "platform-worker");

// Which kinds: every handler in this assembly. How many at once, and which pool: appsettings.json.
builder.Services.AddPlatformBus("worker", bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskQueues(context));
builder.Services.AddPlatformDatabase("platform-worker");
builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(Program).Assembly);
builder.Services.AddPlatformHealth();

var app = builder.Build();
app.MapPlatformHealth();
await app.RunAsync();
