using HeavyTasksApp.Data;
using MassTransit;
using Platform.HeavyTasks;
using Platform.Outbox;

// The address is only for health checks.
var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMassTransit(bus =>
{
    bus.DisableUsageTelemetry();
    bus.AddOutbox<StarterDbContext>();
    bus.AddHeavyTaskConsumer();
    bus.UsingRabbitMq(
        (context, rabbitMq) =>
        {
            rabbitMq.Host(new Uri(builder.Configuration["RabbitMq:Uri"]!));
            rabbitMq.UseHeavyTaskTopology();
            rabbitMq.AddHeavyTaskQueues(context);
        }
    );
});

// The worker refuses to start when its pool is too small for what it may run at once: sections Database and HeavyTasks of appsettings.json.
builder.Services.AddHeavyTaskDatabase<StarterDbContext>("heavytasksapp-worker");
builder.Services.AddHeavyTasks<StarterDbContext>(typeof(Program).Assembly);

var app = builder.Build();
app.MapHealthChecks("/health");
await app.RunAsync();
