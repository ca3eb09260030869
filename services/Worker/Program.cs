using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

// The worker listens only for health checks.
if (await PlatformHost.CreateWorkerBuilderAsync(args, "worker", "http://127.0.0.1:5081") is not { } builder)
{
    // A command such as health has run.
    return;
}

// This assembly's handlers decide which kinds the worker runs; appsettings.json decides how many at once, and on which pool.
builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(Program).Assembly);

var app = builder.Build();
app.MapPlatformHealth();
await app.RunAsync();
