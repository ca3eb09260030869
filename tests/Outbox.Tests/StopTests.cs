using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.Support;

namespace Platform.Outbox.Tests;

public sealed class StopTests : OutboxTest
{
    private static readonly Uri Orders = new("queue:orders");

    [Fact]
    public async Task Stop_sends_what_was_committed()
    {
        // The delete is held back until the stop has begun.
        var pause = new TaskCompletionSource();
        Shop.Store.Deleting = _ => pause.Task;
        for (var number = 1; number <= 300; number++)
        {
            await using var customer = Shop.NewCustomer();
            await (await customer.SendEndpointProvider.GetSendEndpoint(Orders)).Send(new OrderPlaced(number));
            await customer.Db.SaveChangesAsync();
        }

        var stop = Shop.StopAsync();
        stop.IsCompleted.ShouldBeFalse();
        pause.SetResult();
        await stop;

        await using var db = Shop.CreateContext(Database.ConnectionString);
        (await db.Outbox.CountAsync()).ShouldBe(0);
        (await Broker.QueueDepthAsync("orders")).ShouldBe(300u);
    }

    [Fact]
    public async Task What_is_saved_during_the_stop_belongs_to_nobody()
    {
        var pause = new TaskCompletionSource();
        Shop.Store.Deleting = _ => pause.Task;
        await Shop.PlaceOrderAsync(1);
        await Eventually.Async(() => Shop.Consumed.Count == 1, Shop.Soon);
        var stop = Shop.StopAsync();
        await Shop.PlaceOrderAsync(2);
        pause.SetResult();
        await stop;

        await using var db = Shop.CreateContext(Database.ConnectionString);
        (await db.Outbox.SingleAsync()).LeaseOwner.ShouldBeNull();
    }

    internal override Task<Shop> StartShopAsync() =>
        Shop.StartAsync(Database.ConnectionString, Broker.Uri, settings: [("BatchSize", "20")]);
}
