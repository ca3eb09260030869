using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.Support;
using RabbitMQ.Client;

namespace Platform.Outbox.Tests;

/// <summary>A quorum queue does not confirm, among destinations that do.</summary>
public sealed class DestinationTests : IAsyncLifetime
{
    private const string Queue = "silent";
    private const int Many = 1000;

    private static readonly Uri Silent = new("exchange:to-silent");

    // The time until the silence is noticed (10 s), plus a rest and a probe of the destinations that met it on the same channel.
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(45);

    private TestDatabase? database;
    private PrivateBroker? broker;

    public async ValueTask InitializeAsync()
    {
        database = await Shop.CreateDatabaseAsync();
        broker = await PrivateBroker.CreateAsync();
        await using var connection = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(
            Queue,
            durable: true,
            exclusive: false,
            autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum" }
        );
        await channel.ExchangeDeclareAsync(Silent.AbsolutePath, ExchangeType.Fanout, durable: true);
        await channel.QueueBindAsync(Queue, Silent.AbsolutePath, "");
    }

    public async ValueTask DisposeAsync()
    {
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
    public async Task A_queue_that_confirms_no_more_keeps_nobody_else_waiting_and_gets_its_messages_when_it_does_again()
    {
        await using var shop = await StartShopAsync();

        // A destination that worked a moment ago gets many messages at once.
        await SendToSilentAsync(shop, 100);
        await Eventually.Async(async () => await broker!.VirtualHost.QueueDepthAsync(Queue) == 100, Shop.Soon);
        await broker!.SuspendAsync(Queue);
        await SendToSilentAsync(shop, Many);
        for (var number = 1; number <= 500; number++)
        {
            await shop.PlaceOrderAsync(number);
        }

        await Eventually.Async(() => shop.Consumed.Distinct().Count() == 500, Noticed, "the others are consumed");

        // The others still get messages after the silence was noticed and the connection was dropped.
        await Eventually.Async(
            async () => (await shop.ReadOutboxAsync()).Count(m => m.Failures > 0) > Many / 2,
            Shop.Soon,
            "the silent ones are postponed"
        );
        for (var number = 501; number <= 1000; number++)
        {
            await shop.PlaceOrderAsync(number);
        }

        await Eventually.Async(() => shop.Consumed.Distinct().Count() == 1000, Noticed, "the others are still consumed");

        // The row of a consumed message is deleted a moment later.
        await Eventually.Async(async () => await shop.CountAsync() == Many, Shop.Soon, "the silent ones are what is left");

        await broker.ResumeAsync(Queue);
        await Eventually.Async(async () => await shop.CountAsync() == 0, TimeSpan.FromMinutes(3), "the outbox is empty");
        ((int)(await broker.VirtualHost.QueueDepthAsync(Queue) ?? 0)).ShouldBeGreaterThanOrEqualTo(100 + Many);
    }

    [Fact]
    public async Task Messages_for_a_silent_queue_at_the_head_of_a_backlog_do_not_hold_what_follows()
    {
        await broker!.SuspendAsync(Queue);
        await using var shop = await StartShopAsync(("SweepInterval", "00:01:00"));
        await using (var customer = shop.NewCustomer())
        {
            var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(Silent);
            for (var number = 1; number <= Many; number++)
            {
                await endpoint.Send(new OrderPlaced(0));
            }

            await customer.PublishEndpoint.PublishBatchAsync(1, 500);

            // A context that knows no relay saves them, so no process has them in memory.
            await using var db = Shop.CreateContext(database!.ConnectionString);
            db.AddRange(customer.Db.Outbox.Local.OrderBy(m => m.Id));
            await db.SaveChangesAsync();
        }

        await using var other = await StartShopAsync();

        await Eventually.Async(() => shop.Consumed.Concat(other.Consumed).Distinct().Count() == 500, Noticed, "what follows is consumed");
        await Eventually.Async(async () => (await other.ReadOutboxAsync()).Count == Many, Shop.Soon);
        await broker.ResumeAsync(Queue);
    }

    private Task<Shop> StartShopAsync(params IEnumerable<(string Key, string Value)> settings) =>
        Shop.StartAsync(database!.ConnectionString, broker!.Uri, publishBus: true, settings: settings);

    private static async Task SendToSilentAsync(Shop shop, int count)
    {
        await using var customer = shop.NewCustomer();
        var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(Silent);
        for (var number = 1; number <= count; number++)
        {
            await endpoint.Send(new OrderPlaced(0));
        }

        await customer.Db.SaveChangesAsync();
    }
}
