// A second worker service, with its own kinds and its own pool.
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

if (await PlatformHost.CreateWorkerBuilderAsync(args, "test-worker", "http://127.0.0.1:0") is not { } builder)
{
    return;
}

builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(Program).Assembly);
var app = builder.Build();
app.MapPlatformHealth();
await app.RunAsync();
