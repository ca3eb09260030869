// The bare limits: what ASP.NET, Entity Framework and MassTransit do on this machine without outbox, claim, fence or attempts.
using MassTransit;
using Platform.BareService;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddBareDatabase(builder.Configuration);
builder.Services.AddSingleton(TimeProvider.System);
if (builder.Configuration.GetValue<ushort>("Bare:Prefetch") is > 0 and var prefetch)
{
    var kind = builder.Configuration.GetValue("Bare:Kind", "bare")!;
    builder.Services.AddPlatformBus(
        "bare",
        bus => bus.AddConsumer<RowConsumer>(),
        (context, bus) => bus.AddRowEndpoint(context, kind, prefetch)
    );
}
else
{
    builder.Services.AddPlatformBus("bare");
}

var app = builder.Build();
app.MapPost("/rows", InsertRow.HandleAsync);
app.MapPost("/messages", PublishMessage.HandleAsync);
app.MapPost("/publish", PublishMany.HandleAsync);
await app.RunAsync();
