using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Context;
using Microsoft.EntityFrameworkCore;
using Platform.Support;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Platform.Outbox.Tests;

/// <summary>The broker refuses some messages, and nothing can send some others.</summary>
public sealed class RefusalTests : OutboxTest
{
    private static readonly Uri Refused = new("exchange:declared-elsewhere");

    [Fact]
    public async Task Message_to_an_exchange_of_another_type_does_not_stop_the_others()
    {
        await UseChannelAsync(channel => channel.ExchangeDeclareAsync(Refused.AbsolutePath, ExchangeType.Direct));
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(Refused);
        await endpoint.Send(new OrderPlaced(0));
        for (var number = 2; number <= 100; number++)
        {
            await customer.PlaceAsync(number);
        }

        await customer.Db.SaveChangesAsync();
        // Confirms are lost when a channel closes, so messages sent just before may arrive twice.
        await Eventually.Async(() => Shop.Consumed.Distinct().Count() == 100, Shop.Soon);
        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count == 1, Shop.Soon);
        Shop.Consumed.Distinct().Order().ShouldBe(Enumerable.Range(1, 100));
        var waiting = (await Shop.ReadOutboxAsync()).ShouldHaveSingleItem();
        waiting.Failures.ShouldBeGreaterThan(0);
        waiting.Error.ShouldBeNull();

        // Somebody corrects the destination, and the pause ends.
        await UseChannelAsync(channel => channel.ExchangeDeleteAsync(Refused.AbsolutePath));
        await EndLeasesAsync();
        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count == 0, Shop.Soon);
    }

    [Fact]
    public async Task Destination_that_refuses_again_and_again_is_left_alone_for_a_while()
    {
        await UseChannelAsync(channel => channel.ExchangeDeclareAsync(Refused.AbsolutePath, ExchangeType.Direct));
        var closes = new ChannelCloseObserver();
        using var handle = Shop.Bus.ConnectSendObserver(closes);
        for (var number = 1; number <= 50; number++)
        {
            await using var customer = Shop.NewCustomer();
            var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(Refused);
            await endpoint.Send(new OrderPlaced(0));
            await customer.PlaceAsync(number);
            await customer.Db.SaveChangesAsync();
        }

        await Eventually.Async(() => Shop.Consumed.Distinct().Count() == 50, Shop.Soon);
        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count == 50, Shop.Soon);
        Shop.Consumed.Distinct().Order().ShouldBe(Enumerable.Range(1, 50));

        // All but the one that tests the destination when its rest is over.
        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count(m => m.Failures > 0) >= 49, Shop.Soon);
        (await Shop.ReadOutboxAsync()).ShouldAllBe(m => m.Error == null);

        // Twice until the destination rests, and once or twice more each time its rest ends on a slow machine.
        closes.Count.ShouldBeInRange(2, 10);
    }

    [Fact]
    public async Task Of_messages_that_come_one_by_one_while_their_destination_rests_one_tests_it()
    {
        await UseChannelAsync(channel => channel.ExchangeDeclareAsync(Refused.AbsolutePath, ExchangeType.Direct));
        var start = TimeProvider.System.GetTimestamp();
        for (var number = 1; number <= 10; number++)
        {
            await using var customer = Shop.NewCustomer();
            var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(Refused);
            await endpoint.Send(new OrderPlaced(0));
            await customer.Db.SaveChangesAsync();
            await Shop.SettleAsync();
        }

        // A message that met the closed channel before the bus replaced it waits for 5 s, and then for the rest like the others. On a slow
        // machine the rest of 30 s ends meanwhile, and each further rest chooses one more.
        await Eventually.Async(
            async () =>
            {
                var untried = (await Shop.ReadOutboxAsync()).Count(m => m.Failures == 0);
                return untried >= 1 && untried <= 1 + (int)(TimeProvider.System.GetElapsedTime(start) / TimeSpan.FromSeconds(30));
            },
            TimeSpan.FromSeconds(25),
            "one message tests the destination, the others failed"
        );
    }

    [Fact]
    public async Task Message_with_an_address_that_is_none_is_set_aside_with_the_reason()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        var message = customer.Db.Outbox.Local.Single();
        customer.Db.AddRange(With(message, "nonsense", message.Properties), With(message, "http://elsewhere/orders", message.Properties));
        await customer.Db.SaveChangesAsync();

        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count(m => m.Error is not null) == 2, Shop.Soon);
        await Shop.SettleAsync();
        Shop.Consumed.ShouldBe([1]);
        var setAside = await Shop.ReadOutboxAsync();
        setAside.Count.ShouldBe(2);
        setAside.ShouldAllBe(m => m.Error!.Contains("URI") || m.Error.Contains("scheme"));

        // The message is not tried again, not even when its lease has ended.
        await EndLeasesAsync();
        await Shop.SettleAsync();
        (await Shop.ReadOutboxAsync()).ShouldAllBe(m => m.DueAt == OutboxModel.Never);
    }

    [Fact]
    public async Task Message_that_the_protocol_cannot_carry_is_set_aside_with_the_reason()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PublishEndpoint.Publish(new OrderPlaced(0), context => context.SetRoutingKey(new string('k', 300)));
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();

        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count(m => m.Error is not null) == 1, Shop.Soon);
        await Shop.SettleAsync();
        Shop.Consumed.ShouldBe([1]);
    }

    [Fact]
    public async Task Message_that_must_be_routed_waits_for_a_queue()
    {
        await using var customer = Shop.NewCustomer();
        var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(new Uri("exchange:without-queue"));
        await endpoint.Send(new OrderPlaced(0), (SendContext context) => ((TransportSendContext)context).Mandatory = true);
        await endpoint.Send(new OrderPlaced(0));
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();

        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()) is [{ Failures: 1, Error: null }], Shop.Soon);
        await Broker.DeclareQueueAsync("late", "without-queue");
        await EndLeasesAsync();
        await Eventually.Async(async () => (await Shop.ReadOutboxAsync()).Count == 0, Shop.Soon);
        (await Broker.QueueDepthAsync("late")).ShouldBe(1u);
        Shop.Consumed.ShouldBe([1]);
    }

    private static OutboxMessage With(OutboxMessage message, string destination, string? properties) =>
        new()
        {
            Id = Guid.CreateVersion7(),
            MessageId = message.MessageId,
            DestinationAddress = destination,
            ContentType = message.ContentType,
            Body = message.Body,
            Headers = message.Headers,
            Properties = properties,
        };

    private async Task EndLeasesAsync()
    {
        await using var db = Shop.CreateContext(Database.ConnectionString);
        await db.Database.ExecuteSqlRawAsync(ShopDatabase.EndLeases);
    }

    private async Task UseChannelAsync(Func<IChannel, Task> use)
    {
        await using var connection = await new ConnectionFactory { Uri = Broker.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await use(channel);
    }

    /// <summary>Counts how often the channel was closed, however many messages were affected.</summary>
    private sealed class ChannelCloseObserver : ISendObserver
    {
        private readonly ConcurrentDictionary<ShutdownEventArgs, bool> closes = new(ReferenceEqualityComparer.Instance);

        public int Count => closes.Count;

        public Task PreSend<T>(SendContext<T> context)
            where T : class => Task.CompletedTask;

        public Task PostSend<T>(SendContext<T> context)
            where T : class => Task.CompletedTask;

        public Task SendFault<T>(SendContext<T> context, Exception exception)
            where T : class
        {
            if (exception is OperationInterruptedException { ShutdownReason: { } reason })
            {
                closes[reason] = true;
            }

            return Task.CompletedTask;
        }
    }
}
