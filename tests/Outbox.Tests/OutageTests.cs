using System.Diagnostics;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>The broker is not there.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(45);

    private TestDatabase? database;
    private PrivateBroker? broker;

    public async ValueTask InitializeAsync()
    {
        database = await Shop.CreateDatabaseAsync();
        broker = await PrivateBroker.CreateAsync();
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
    public async Task Saves_go_on_while_the_broker_is_down_and_all_messages_arrive_when_it_is_back()
    {
        await using var shop = await Shop.StartAsync(database!.ConnectionString, broker!.Uri);
        await shop.PlaceOrderAsync(1);
        await shop.ShouldHaveConsumedAsync(1);
        await broker.KillAsync();

        var watch = Stopwatch.StartNew();
        for (var number = 2; number <= 500; number++)
        {
            await shop.PlaceOrderAsync(number);
        }

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));

        // No message is held in memory, no failure is counted, and at most one probe is leased.
        await Eventually.Async(async () => (await shop.ReadOutboxAsync()).Count(m => m.LeaseOwner is not null) <= 1, Shop.Soon);
        var waiting = await shop.ReadOutboxAsync();
        waiting.Count.ShouldBe(499);
        waiting.ShouldAllBe(m => m.Failures == 0 && m.Error == null);

        await broker.StartAsync();
        await Eventually.Async(() => shop.Consumed.Distinct().Count() == 500, Recovery);
        await Eventually.Async(async () => await shop.CountAsync() == 0, Recovery);
        shop.Consumed.Distinct().Order().ShouldBe(Enumerable.Range(1, 500));
    }

    [Fact]
    public async Task Messages_saved_while_the_broker_restarts_arrive()
    {
        await using var shop = await Shop.StartAsync(database!.ConnectionString, broker!.Uri);
        using var stop = new CancellationTokenSource();
        var placed = 0;
        var customers = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await shop.PlaceOrderAsync(++placed);
            }
        });
        await Eventually.Async(() => shop.Consumed.Count > 100, Shop.Soon);
        await broker.KillAsync();
        await broker.StartAsync();
        var before = shop.Consumed.Count;
        await Eventually.Async(() => shop.Consumed.Count > before + 100, Recovery);
        await stop.CancelAsync();
        await customers;

        await Eventually.Async(() => shop.Consumed.Distinct().Count() == placed, Recovery);
        await Eventually.Async(async () => await shop.CountAsync() == 0, Recovery);
    }

    [Fact]
    public async Task Service_started_without_broker_saves_and_sends_later()
    {
        await broker!.KillAsync();
        await using var shop = await Shop.StartAsync(database!.ConnectionString, broker.Uri, connected: false);
        await using (var customer = shop.NewCustomer())
        {
            await (await customer.SendEndpointProvider.GetSendEndpoint(new Uri("queue:orders"))).Send(new OrderPlaced(1));
            await customer.Db.SaveChangesAsync();
        }

        (await shop.ReadOutboxAsync()).ShouldHaveSingleItem();
        await broker.StartAsync();
        await Eventually.Async(async () => await shop.CountAsync() == 0, Recovery);
        (await broker.VirtualHost.QueueDepthAsync("orders")).ShouldBe(1u);
    }

    [Fact]
    public async Task Service_without_broker_stops_at_once_and_leaves_its_messages_to_others()
    {
        await using var shop = await Shop.StartAsync(database!.ConnectionString, broker!.Uri);
        await broker.KillAsync();
        await using (var customer = shop.NewCustomer())
        {
            await customer.PublishEndpoint.PublishBatchAsync(1, 2000);
            await customer.Db.SaveChangesAsync();
        }

        var watch = Stopwatch.StartNew();
        await shop.StopAsync();
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        await using var db = Shop.CreateContext(database.ConnectionString);
        (await db.Outbox.CountAsync()).ShouldBe(2000);
        (await db.Outbox.CountAsync(m => m.LeaseOwner != null)).ShouldBe(0);
    }
}
