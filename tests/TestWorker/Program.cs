// A second worker service, with kinds and a pool of its own.
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddMigrationCheck();
builder.Services.AddPlatformBus("test-worker", bus => bus.AddHeavyTaskConsumer(), (context, bus) => bus.AddHeavyTaskQueues(context));
builder.Services.AddPlatformDatabase("platform-test-worker");
builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(Program).Assembly);

await builder.Build().RunAsync();
