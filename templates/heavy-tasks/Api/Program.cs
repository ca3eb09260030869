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
    return 0;
}

if (args is ["create-key", ..])
{
    // A number would be taken for roles, too; no role has a digit in its name.
    if (
        args is not [_, var name, var roleNames]
        || roleNames.Any(char.IsAsciiDigit)
        || !Enum.TryParse<HeavyTaskRole>(roleNames, ignoreCase: true, out var roles)
    )
    {
        Console.Error.WriteLine("Usage: create-key NAME ROLE[,ROLE...]. Roles: submit, read, operate, admin.");
        return 2;
    }

    try
    {
        await using var scope = app.Services.CreateAsyncScope();
        Console.WriteLine(await ApiKeys.CreateAsync(scope.ServiceProvider.GetRequiredService<StarterDbContext>(), name, roles));
        return 0;
    }
    catch (ArgumentException exception)
    {
        Console.Error.WriteLine(exception.Message);
        return 2;
    }
}

app.UseHeavyTaskProblems();
app.UseAuthorization();
app.MapHeavyTasks();
app.MapFiles();
app.MapServices();
app.MapKeys();
app.MapAudit();
app.MapOrders();

// Whoever restarts the process has no key.
app.MapHealthChecks("/health").AllowAnonymous();
await app.RunAsync();
return 0;
