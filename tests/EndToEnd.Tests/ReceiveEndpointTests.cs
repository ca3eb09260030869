using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

public sealed class ReceiveEndpointTests
{
    private const string Queue = "heavy-task.test.steps";

    // The requests that a receive endpoint sends to the broker before it consumes: class and method of AMQP 0-9-1.
    [Theory]
    [InlineData("connection.open", 10, 40)]
    [InlineData("channel.open", 20, 10)]
    [InlineData("queue.declare", 50, 10)]
    [InlineData("basic.consume", 60, 20)]
    public async Task An_endpoint_whose_broker_did_not_answer_once_consumes_all_the_same(
        string request,
        short swallowedClass,
        short swallowedMethod
    )
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var broker = await TestBroker.CreateAsync();
        await using var proxy = new BrokerProxy(broker.Uri, swallowedClass, swallowedMethod);
        var received = 0;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:Platform"] = database.ConnectionString;
        builder.Configuration["RabbitMq:Uri"] = proxy.Uri.ToString();
        builder.Configuration["RabbitMq:AnswerTimeout"] = "00:00:02";
        builder.Configuration["RabbitMq:EndpointTimeout"] = "00:00:05";
        builder.Services.AddPlatformBus(
            "test",
            configureEndpoints: (registration, bus) =>
                bus.ReceiveEndpoint(
                    HeavyTaskTopology.QueueName("test.kind"),
                    endpoint =>
                    {
                        endpoint.BindHeavyTaskKind(registration, "test.kind");
                        endpoint.Handler<HeavyTaskRequested>(_ => Task.FromResult(Interlocked.Increment(ref received)));
                    }
                )
        );
        builder.Services.AddPlatformDatabase("platform-test");
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        // The broker drops what is published while there is no queue.
        await Eventually.Async(
            async () =>
            {
                if (await broker.ConsumerCountAsync(HeavyTaskTopology.QueueName("test.kind")) > 0)
                {
                    await host.Services.GetRequiredService<IBus>().Publish(new HeavyTaskRequested(Guid.CreateVersion7(), "test.kind"));
                }

                return Volatile.Read(ref received) > 0;
            },
            TimeSpan.FromSeconds(60),
            "a message is consumed"
        );

        proxy.HasSwallowed.ShouldBeTrue(request);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_new_queue_drops_no_message_that_is_returned_often()
    {
        await using var system = await TestSystem.StartAsync();
        await system.StartWorkerAsync();

        var arguments = await system.Broker.QueueArgumentsAsync(Queue);

        // Before 4.0 there is no limit unless somebody sets one.
        (arguments.TryGetProperty("x-delivery-limit", out var limit) ? limit.GetInt32() : 0).ShouldBe(
            await system.Broker.VersionAsync() >= new Version(4, 0) ? int.MaxValue : 0
        );
    }

    [Fact]
    public async Task A_queue_that_exists_with_other_arguments_is_used_as_it_is()
    {
        await using var system = await TestSystem.StartAsync();
        await system.Broker.DeclareQueueAsync(
            Queue,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-delivery-limit"] = 7 }
        );

        var worker = await system.StartWorkerAsync();
        await worker.WaitForOutputAsync("used as it is", TimeSpan.FromSeconds(30));
        var id = await system.SubmitStepsAsync("a", steps: 1, pauseMilliseconds: 0);

        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        (await system.Broker.QueueArgumentsAsync(Queue)).GetProperty("x-delivery-limit").GetInt32().ShouldBe(7);
    }
}
