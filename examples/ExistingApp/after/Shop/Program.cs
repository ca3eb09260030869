using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;
using Shop;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddMassTransit(bus =>
{
    bus.AddOutbox<ShopDbContext>();
    bus.UsingRabbitMq(
        (_, rabbitMq) =>
        {
            rabbitMq.Host(new Uri(builder.Configuration["RabbitMq:Uri"]!));
            rabbitMq.UseHeavyTaskTopology();
        }
    );
});
builder.Services.AddHeavyTaskDatabase<ShopDbContext>("shop-web");

var app = builder.Build();
await using (var scope = app.Services.CreateAsyncScope())
{
    await scope.ServiceProvider.GetRequiredService<ShopDbContext>().Database.MigrateAsync();
}

app.MapOrders();
app.Run();
