using InvoiceWorker;
using MassTransit;
using Platform.HeavyTasks;
using Platform.Outbox;
using Shop;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.Services.AddMassTransit(bus =>
{
    bus.AddOutbox<ShopDbContext>();
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
builder.Services.AddHeavyTaskDatabase<ShopDbContext>("shop-invoices");
builder.Services.AddHeavyTasks<ShopDbContext>(typeof(WriteInvoiceHandler));
builder.Build().Run();
