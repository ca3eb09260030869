// A worker service like any other, whose one handler does as little as a handler can: it writes one row.
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddMigrationCheck();
builder.Services.AddPlatformBus("row-worker", bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskQueues(context));
builder.Services.AddPlatformDatabase("platform-row-worker");
builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(Program).Assembly);
await builder.Build().RunAsync();
