using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

namespace Platform.Services;

/// <summary>A worker service like any other, with one handler.</summary>
internal static class Workers
{
    public static async Task RunAsync(string name, Type handler, string[] args)
    {
        if (await PlatformHost.CreateWorkerBuilderAsync(args, name, "http://127.0.0.1:0") is { } builder)
        {
            builder.Services.Configure<WorkOptions>(builder.Configuration.GetSection("Work"));
            builder.Services.AddHeavyTasks<PlatformDbContext>(handler);
            await builder.Build().RunAsync();
        }
    }
}
