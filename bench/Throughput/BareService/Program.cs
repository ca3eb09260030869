// The bare limits: what ASP.NET, Entity Framework and MassTransit do on this machine without outbox, claim, fence or attempts.
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.BareService;
using Platform.ServiceDefaults;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
var connectionString = new NpgsqlConnectionStringBuilder(builder.Configuration.GetConnectionString("Platform"))
{
    ApplicationName = "bare",
    MaxPoolSize = builder.Configuration.GetValue("Database:MaxPoolSize", 10),

    // The driver's default is not to prepare statements.
    MaxAutoPrepare = builder.Configuration.GetValue("Database:MaxPreparedStatements", 0),
};
var dataSource = NpgsqlDataSource.Create(connectionString);
builder.Services.AddDbContext<BareDbContext>(db => db.UseNpgsql(dataSource), ServiceLifetime.Scoped, ServiceLifetime.Singleton);
builder.Services.AddSingleton(TimeProvider.System);
if (builder.Configuration.GetValue<ushort>("Bare:Prefetch") is > 0 and var prefetch)
{
    var kind = builder.Configuration.GetValue("Bare:Kind", "bare")!;
    builder.Services.AddPlatformBus("bare", bus => bus.AddConsumer<RowConsumer>(), (context, bus) => bus.AddRowEndpoint(context, kind, prefetch));
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
