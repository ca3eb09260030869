using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>Tests the outbox as Platform's services use it: in a request, and in a consumer that injects it by name.</summary>
public sealed class PlatformContextTests : IAsyncLifetime
{
    private TestDatabase? database;
    private TestBroker? broker;
    private IHost? host;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        broker = await TestBroker.CreateAsync();
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([
            KeyValuePair.Create("ConnectionStrings:Platform", (string?)database.ConnectionString),
        ]);
        builder.Services.AddLogging();
        builder.Services.AddSingleton<Rendezvous>();
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddOutbox<PlatformDbContext>();
            bus.AddConsumer<StockConsumer>();
            bus.UsingRabbitMq(
                (context, rabbitMq) =>
                {
                    rabbitMq.Host(broker.Uri);
                    rabbitMq.UseHeavyTaskTopology();
                    rabbitMq.ConfigureEndpoints(context);
                }
            );
        });
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(o => o.WaitUntilStarted = true);
        builder.Services.AddPlatformDatabase("outbox-tests");
        host = builder.Build();
        await host.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (host is not null)
        {
            await host.StopAsync();
            await ((IAsyncDisposable)host).DisposeAsync();
        }

        if (broker is not null)
        {
            await broker.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task Request_and_consumer_send_with_their_save()
    {
        var bus = host!.Services.GetRequiredService<IBus>();
        await bus.Publish(new OrderPlaced(0));
        await broker!.DeclareQueueAsync("orders", "Platform.Outbox.Tests:OrderPlaced");

        await using (var request = host.Services.CreateAsyncScope())
        {
            await request.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new StockChecked(1));
            await request.ServiceProvider.GetRequiredService<PlatformDbContext>().SaveChangesAsync();
        }

        var rendezvous = host.Services.GetRequiredService<Rendezvous>();
        await rendezvous.Published.Task.WaitAsync(Shop.Soon);
        await bus.Publish(new OrderPlaced(2));
        await Eventually.Async(async () => await broker.QueueDepthAsync("orders") >= 1, Shop.Soon);
        (await broker.TakeMessagesAsync("orders")).ShouldHaveSingleItem().ShouldContain("\"number\": 2");

        rendezvous.Save.SetResult();
        await Eventually.Async(async () => await broker.QueueDepthAsync("orders") >= 1, Shop.Soon);
        (await broker.TakeMessagesAsync("orders")).ShouldHaveSingleItem().ShouldContain("\"number\": 1");
        await using var db = database!.CreateContext();
        await Eventually.Async(async () => !await db.Set<OutboxMessage>().AnyAsync(), Shop.Soon);
    }

    public sealed class Rendezvous
    {
        public TaskCompletionSource Published { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Save { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    internal sealed class StockConsumer(OutboxPublishEndpoint outbox, PlatformDbContext db, Rendezvous rendezvous) : IConsumer<StockChecked>
    {
        public async Task Consume(ConsumeContext<StockChecked> context)
        {
            await outbox.PublishAsync(new OrderPlaced(context.Message.Number), CancellationToken.None);
            rendezvous.Published.SetResult();
            await rendezvous.Save.Task;
            await db.SaveChangesAsync();
        }
    }
}
