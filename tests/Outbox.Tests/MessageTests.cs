using System.Diagnostics;
using System.Text.Json.Nodes;
using MassTransit;
using MassTransit.Logging;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Support;
using RabbitMQ.Client;

namespace Platform.Outbox.Tests;

/// <summary>A message through the outbox is the same as a message published directly.</summary>
public sealed class MessageTests : OutboxTest
{
    private const string Copies = "copies";

    [Fact]
    public async Task Properties_headers_and_body_are_those_of_a_direct_publish()
    {
        var context = Pipe.Execute<PublishContext<OrderPlaced>>(publish =>
        {
            publish.MessageId = new Guid("11111111-0000-0000-0000-000000000001");
            publish.CorrelationId = new Guid("11111111-0000-0000-0000-000000000002");
            publish.ConversationId = new Guid("11111111-0000-0000-0000-000000000003");
            publish.InitiatorId = new Guid("11111111-0000-0000-0000-000000000004");
            publish.RequestId = new Guid("11111111-0000-0000-0000-000000000005");
            publish.ResponseAddress = new Uri("queue:responses");
            publish.FaultAddress = new Uri("queue:faults");
            publish.TimeToLive = TimeSpan.FromMinutes(10);
            publish.Headers.Set("text", "täxt");
            publish.Headers.Set("int", 42);
            publish.Headers.Set("long", 42_000_000_000L);
            publish.Headers.Set("double", 4.5);
            publish.Headers.Set("whole-double", 4.0);
            publish.Headers.Set("yes", true);
            publish.Headers.Set("no", false);
            publish.Headers.Set("guid", new Guid("11111111-0000-0000-0000-000000000006"));
            publish.Headers.Set("uri", new Uri("queue:somewhere"));
            publish.Headers.Set("time", new DateTime(2025, 1, 2, 3, 4, 5, DateTimeKind.Utc));
            publish.Headers.Set("time-like-text", "2025-01-02T03:04:05Z");
            publish.SetRoutingKey("the.key");
            publish.SetPriority(7);
            publish.Durable = false;
            publish.Mandatory = true;
        });
        var (direct, stored) = await SendBothWaysAsync(
            endpoint => endpoint.Publish(new OrderPlaced(1), context),
            waiting => waiting.ExpiresAt.ShouldNotBeNull()
        );

        stored.RoutingKey.ShouldBe("the.key");
        stored.RoutingKey.ShouldBe(direct.RoutingKey);
        var (expected, actual) = (direct.BasicProperties, stored.BasicProperties);
        actual.MessageId.ShouldBe("11111111-0000-0000-0000-000000000001");
        actual.MessageId.ShouldBe(expected.MessageId);
        actual.CorrelationId.ShouldBe(expected.CorrelationId);
        actual.ContentType.ShouldBe(expected.ContentType);
        actual.DeliveryMode.ShouldBe(DeliveryModes.Transient);
        actual.DeliveryMode.ShouldBe(expected.DeliveryMode);
        actual.Priority.ShouldBe((byte)7);
        actual.Priority.ShouldBe(expected.Priority);
        actual.ReplyTo.ShouldBe(expected.ReplyTo);
        actual.Type.ShouldBe(expected.Type);
        actual.AppId.ShouldBe(expected.AppId);

        // The time in the outbox counts towards the expiration.
        int.Parse(actual.Expiration!).ShouldBeInRange(570_000, int.Parse(expected.Expiration!) - 1);
        Headers(actual).ShouldBe(Headers(expected));
        Body(stored).ToJsonString().ShouldBe(Body(direct).ToJsonString());
    }

    [Fact]
    public async Task Plain_message_is_persistent_and_never_expires()
    {
        var (direct, stored) = await SendBothWaysAsync(
            endpoint => endpoint.Publish(new OrderPlaced(1)),
            waiting => waiting.ExpiresAt.ShouldBeNull()
        );
        stored.RoutingKey.ShouldBe(direct.RoutingKey);
        stored.BasicProperties.DeliveryMode.ShouldBe(DeliveryModes.Persistent);
        stored.BasicProperties.IsExpirationPresent().ShouldBeFalse();
        stored.BasicProperties.IsPriorityPresent().ShouldBe(direct.BasicProperties.IsPriorityPresent());
        Headers(stored.BasicProperties).ShouldBe(Headers(direct.BasicProperties));
    }

    [Fact]
    public async Task Body_is_sent_byte_for_byte()
    {
        byte[] written = [];
        var (_, stored) = await SendBothWaysAsync(endpoint => endpoint.Publish(new OrderPlaced(1)), waiting => written = waiting.Body);
        stored.Body.ToArray().ShouldBe(written);
    }

    [Fact]
    public async Task Sent_message_reaches_its_queue()
    {
        await using var customer = Shop.NewCustomer();
        var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(new Uri("queue:orders"));
        await endpoint.Send(new OrderPlaced(1));
        await customer.Db.SaveChangesAsync();
        await Eventually.Async(async () => await Broker.QueueDepthAsync("orders") == 1, Shop.Soon);
    }

    [Fact]
    public async Task Consumer_of_an_interface_gets_the_message()
    {
        var received = new TaskCompletionSource<int>();
        var handle = Shop.Bus.ConnectReceiveEndpoint(
            "interface",
            endpoint =>
                endpoint.Handler<IOrderEvent>(context =>
                {
                    received.TrySetResult(context.Message.Number);
                    return Task.CompletedTask;
                })
        );
        await handle.Ready;
        await Shop.PlaceOrderAsync(7);
        (await received.Task.WaitAsync(Shop.Soon)).ShouldBe(7);
    }

    [Fact]
    public async Task One_trace_spans_publish_and_consume()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is DiagnosticHeaders.DefaultListenerName or nameof(MessageTests),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource(nameof(MessageTests));
        var received = new TaskCompletionSource<ActivityTraceId>();
        var handle = Shop.Bus.ConnectReceiveEndpoint(
            "traced",
            endpoint =>
                endpoint.Handler<OrderPlaced>(_ =>
                {
                    received.TrySetResult(Activity.Current!.TraceId);
                    return Task.CompletedTask;
                })
        );
        await handle.Ready;

        using var request = source.StartActivity("request");
        await Shop.PlaceOrderAsync(1);
        (await received.Task.WaitAsync(Shop.Soon)).ShouldBe(request!.TraceId);
    }

    [Fact]
    public async Task Expired_message_is_not_sent()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PublishEndpoint.Publish(new OrderPlaced(1), context => context.TimeToLive = TimeSpan.FromTicks(1));
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(2);
    }

    [Fact]
    public async Task Delayed_message_is_refused()
    {
        await using var customer = Shop.NewCustomer();
        var exception = await Should.ThrowAsync<NotSupportedException>(() =>
            customer.PublishEndpoint.Publish(new OrderPlaced(1), context => context.Delay = TimeSpan.FromMinutes(1))
        );
        exception.Message.ShouldContain(nameof(OrderPlaced));
        customer.Db.ChangeTracker.HasChanges().ShouldBeFalse();
    }

    [Fact]
    public async Task Too_large_message_is_refused_and_one_that_just_fits_is_sent()
    {
        await using var customer = Shop.NewCustomer();
        var exception = await Should.ThrowAsync<MessageException>(() =>
            customer.PublishEndpoint.Publish(new Letter(new string('x', 1024 * 1024)))
        );
        exception.Message.ShouldContain("Outbox:MaxMessageLength");
        customer.Db.ChangeTracker.HasChanges().ShouldBeFalse();

        var endpoint = await customer.SendEndpointProvider.GetSendEndpoint(new Uri("queue:letters"));
        await endpoint.Send(new Letter(new string('x', (1024 * 1024) - 4096)));
        await customer.Db.SaveChangesAsync();
        await Eventually.Async(async () => await Broker.QueueDepthAsync("letters") == 1, Shop.Soon);
    }

    [Fact]
    public async Task Many_messages_in_one_save_arrive()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PublishEndpoint.PublishBatchAsync(1, 1000);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(Enumerable.Range(1, 1000));
    }

    [Fact]
    public async Task A_thousand_scopes_at_once_each_send_their_own()
    {
        // There are more scopes than connections: without a limit, they would wait for the pool longer than a connection may take.
        await Parallel.ForEachAsync(
            Enumerable.Range(1, 1000),
            new ParallelOptions { MaxDegreeOfParallelism = 1000 },
            async (number, _) => await Shop.PlaceOrderAsync(number)
        );
        await Shop.ShouldHaveConsumedAsync(Enumerable.Range(1, 1000));
    }

    private static List<string> Headers(IReadOnlyBasicProperties properties) =>
        [
            .. properties
                .Headers!.Where(h => h.Key != Constants.PublishSequenceNumberHeader)
                .Select(h =>
                    $"{h.Key}: {(h.Value is byte[] text ? System.Text.Encoding.UTF8.GetString(text) : h.Value)} ({h.Value?.GetType().Name})"
                )
                .Order(StringComparer.Ordinal),
        ];

    private static JsonObject Body(BasicGetResult message)
    {
        var body = JsonNode.Parse(message.Body.Span)!.AsObject();
        foreach (var time in new[] { "sentTime", "expirationTime" })
        {
            body[time].ShouldNotBeNull();
            body.Remove(time);
        }

        return body;
    }

    private async Task<(BasicGetResult Direct, BasicGetResult Stored)> SendBothWaysAsync(
        Func<IPublishEndpoint, Task> publish,
        Action<OutboxMessage> inspect
    )
    {
        await Broker.DeclareQueueAsync(
            Copies,
            Shop.Bus.Topology.Publish<OrderPlaced>().TryGetPublishAddress(new Uri("rabbitmq://localhost/"), out var address)
                ? address.AbsolutePath.Trim('/')
                : ""
        );
        await publish(Shop.Bus);
        await using var customer = Shop.NewCustomer();
        await publish(customer.PublishEndpoint);
        inspect(customer.Db.Outbox.Local.Single());
        await customer.Db.SaveChangesAsync();
        await Eventually.Async(async () => await Broker.QueueDepthAsync(Copies) == 2, Shop.Soon);

        await using var connection = await new ConnectionFactory { Uri = Broker.Uri }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        return ((await channel.BasicGetAsync(Copies, autoAck: true))!, (await channel.BasicGetAsync(Copies, autoAck: true))!);
    }

    public sealed record Letter(string Text);
}
