// The API and the worker of the fault suite, in one program: the first argument says which.
using Platform.FaultService;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Http;
using Platform.Persistence;
using Platform.ServiceDefaults;

if (args is not [var role, .. var rest] || await CreateAsync(role, rest) is not { } builder)
{
    return;
}

if (role == "api")
{
    builder.Services.AddHeavyTaskEndpoints(typeof(CountEffect).Assembly);
    builder.Services.AddHeavyTaskProblems();
}
else
{
    builder.Services.AddHeavyTasks<PlatformDbContext>(typeof(CountEffect).Assembly);
}

var app = builder.Build();
if (role == "api")
{
    app.UseHeavyTaskProblems();
    app.MapHeavyTasks();
}

app.MapPlatformHealth();
await app.RunAsync();

static Task<WebApplicationBuilder?> CreateAsync(string role, string[] arguments) =>
    role == "api"
        ? PlatformHost.CreateBuilderAsync(arguments, "fault-api", "http://127.0.0.1:0")
        : PlatformHost.CreateWorkerBuilderAsync(arguments, "fault-worker", "http://127.0.0.1:0");
