using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Platform.Support;

namespace Platform.Outbox.Tests;

public sealed record StockChecked(int Number);

/// <summary>Tests the outbox in the scope of a consumed message.</summary>
public sealed class ConsumerTests : OutboxTest
{
    [Fact]
    public async Task Publish_endpoint_of_a_consumer_sends_at_once_and_its_outbox_waits_for_the_save()
    {
        await Shop.Bus.Publish(new StockChecked(1));
        var save = await SaveAsync();

        // The message's own context published this; the outbox has not been saved yet.
        await Eventually.Async(() => Shop.Consumed.SequenceEqual([1]), Shop.Soon);
        await Shop.SettleAsync();
        Shop.Consumed.ShouldBe([1]);
        (await Shop.ReadOutboxAsync()).ShouldBeEmpty();

        save.SetResult();
        await Shop.ShouldHaveConsumedAsync(1, 1001);
    }

    internal override Task<Shop> StartShopAsync() =>
        Shop.StartAsync(
            Database.ConnectionString,
            Broker.Uri,
            services => services.AddSingleton<StockConsumer.Rendezvous>(),
            bus => bus.AddConsumer<StockConsumer>()
        );

    private Task<TaskCompletionSource> SaveAsync() =>
        Shop.Services.GetRequiredService<StockConsumer.Rendezvous>().Published.Task.WaitAsync(Shop.Soon);

    public sealed class StockConsumer(
        IPublishEndpoint publishEndpoint,
        OutboxBusContext<ShopDbContext> outbox,
        ShopDbContext db,
        StockConsumer.Rendezvous rendezvous
    ) : IConsumer<StockChecked>
    {
        public async Task Consume(ConsumeContext<StockChecked> context)
        {
            await publishEndpoint.Publish(new OrderPlaced(context.Message.Number));
            await outbox.PublishEndpoint.Publish(new OrderPlaced(context.Message.Number + 1000));
            var save = new TaskCompletionSource();
            rendezvous.Published.SetResult(save);
            await save.Task;
            await db.SaveChangesAsync();
        }

        public sealed class Rendezvous
        {
            public TaskCompletionSource<TaskCompletionSource> Published { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
