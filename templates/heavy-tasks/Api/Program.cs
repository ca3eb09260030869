using HeavyTasksApp.Api;
using HeavyTasksApp.Contracts;
using HeavyTasksApp.Data;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Http;
using Platform.Outbox;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMassTransit(bus =>
{
    bus.DisableUsageTelemetry();
    bus.AddOutbox<StarterDbContext>();
    bus.UsingRabbitMq(
        (_, rabbitMq) =>
        {
            rabbitMq.Host(new Uri(builder.Configuration["RabbitMq:Uri"]!));
            rabbitMq.UseHeavyTaskTopology();
        }
    );
});

// The context on the API's own pool: section Database of appsettings.json.
builder.Services.AddHeavyTaskDatabase<StarterDbContext>("heavytasksapp-api");
builder.Services.AddHeavyTaskEndpoints(kinds: typeof(AddOrders).Assembly);
builder.Services.AddHeavyTaskProblems();

var app = builder.Build();
if (args is ["migrate"])
{
    await using var scope = app.Services.CreateAsyncScope();
    await scope.ServiceProvider.GetRequiredService<StarterDbContext>().Database.MigrateAsync();
    return;
}

// Whoever reaches these endpoints may call them, until you say .RequireAuthorization() here.
app.UseHeavyTaskProblems();
app.MapHeavyTasks();
app.MapFiles();
app.MapServices();
app.MapOrders();
app.MapHealthChecks("/health");
await app.RunAsync();
