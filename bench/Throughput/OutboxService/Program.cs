// A service that does nothing but save messages to the outbox, as many at once as it is told. With the arguments "backlog KIND COUNT" it
// saves so many and ends, and nothing of it delivers: they belong to nobody, like the messages that a crash left behind.
using Platform.HeavyTasks;
using Platform.OutboxService;
using Platform.Persistence;
using Platform.ServiceDefaults;

const int BacklogPublishers = 4;
const int MessagesPerSave = 100;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddPlatformBus("outbox");
builder.Services.AddPlatformDatabase("platform-outbox");
await using var app = builder.Build();
if (args is ["backlog", var kind, var count])
{
    // The services are there, but not started.
    var scopes = app.Services.GetRequiredService<IServiceScopeFactory>();
    await SaveMessages.HandleAsync(kind, int.Parse(count), BacklogPublishers, MessagesPerSave, scopes, TimeProvider.System);
    return;
}

app.MapPost("/save", SaveMessages.HandleAsync);
await app.RunAsync();
