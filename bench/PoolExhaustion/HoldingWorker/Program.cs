// A worker service like any other. Its one handler keeps a connection busy, as long as the settings say.
using Platform.HeavyTasks;
using Platform.HoldingWorker;
using Platform.Persistence;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.Configure<WorkOptions>(builder.Configuration.GetSection("Work"));
builder.Services.AddMigrationCheck();
builder.Services.AddPlatformBus("holding-worker", bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskQueues(context));
builder.Services.AddPlatformDatabase("platform-worker");
builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(Program).Assembly);
var app = builder.Build();
app.MapGet("/health/live", () => Results.Ok());
await app.RunAsync();
