using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);

// Which kinds: every handler in this assembly. How many at once, and which pool: appsettings.json.
builder.Services.AddPlatformBus("worker", bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskEndpoints(context));
builder.Services.AddPlatformDatabase("platform-worker");
builder.Services.AddHeavyTasks(typeof(Program).Assembly);

var app = builder.Build();
app.MapGet("/health/live", () => Results.Ok());
app.Run();
