// A service that does nothing but save messages to the outbox, as many at once as it is told.
using Platform.OutboxService;
using Platform.Persistence;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddPlatformBus("outbox");
builder.Services.AddPlatformDatabase("platform-outbox");
var app = builder.Build();
app.MapPost("/save", SaveMessages.HandleAsync);
await app.RunAsync();
