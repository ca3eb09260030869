// Measures the bare limits: what ASP.NET, Entity Framework and MassTransit do on this machine without outbox, claim, fence or attempts.
using Platform.Bare;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddBareDatabase(builder.Configuration);
builder.Services.AddBareBus(builder.Configuration);
builder.Services.AddSingleton(TimeProvider.System);

var app = builder.Build();
app.MapPost("/rows", InsertRow.HandleAsync);
app.MapPost("/messages", PublishMessage.HandleAsync);
app.MapPost("/publish", PublishMany.HandleAsync);
await app.RunAsync();
