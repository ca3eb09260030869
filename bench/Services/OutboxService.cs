using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

namespace Platform.Services;

/// <summary>
/// Only saves messages to the outbox, as many at once as it is told. With the arguments <c>backlog KIND COUNT</c> it saves that many and
/// ends without delivering any: they belong to no process, like messages that a crash left behind.
/// </summary>
internal static class OutboxService
{
    private const int BacklogPublishers = 4;
    private const int MessagesPerSave = 100;

    public static async Task RunAsync(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddPlatformBus("outbox");
        builder.Services.AddPlatformDatabase("platform-outbox");
        await using var app = builder.Build();
        if (args is ["backlog", var kind, var count])
        {
            // The services are registered but not started.
            var scopes = app.Services.GetRequiredService<IServiceScopeFactory>();
            await SaveMessages.HandleAsync(kind, int.Parse(count), BacklogPublishers, MessagesPerSave, scopes, TimeProvider.System);
            return;
        }

        app.MapPost("/save", SaveMessages.HandleAsync);
        await app.RunAsync();
    }
}
