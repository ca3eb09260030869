using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.Persistence;
using Platform.ServiceDefaults;
using Platform.Support;
using Shouldly;
using Xunit;

namespace Platform.EndToEnd.Tests;

public sealed class ReceiveEndpointTests
{
    // Of what a receive endpoint asks of its broker until it consumes: class and method of AMQP 0-9-1.
    [Theory]
    [InlineData("connection.open", 10, 40)]
    [InlineData("channel.open", 20, 10)]
    [InlineData("queue.declare", 50, 10)]
    [InlineData("basic.consume", 60, 20)]
    public async Task An_endpoint_whose_broker_did_not_answer_once_consumes_all_the_same(string request, short swallowedClass, short swallowedMethod)
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
        builder.Services.AddPlatformBus("test", configureEndpoints: (registration, bus) => bus.ReceiveEndpoint(HeavyTaskTopology.QueueName("test.kind"), endpoint =>
        {
            endpoint.BindHeavyTaskKind(registration, "test.kind");
            endpoint.Handler<HeavyTaskRequested>(_ => Task.FromResult(Interlocked.Increment(ref received)));
        }));
        builder.Services.AddPlatformDatabase("platform-test");
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        // What is published while there is no queue, the broker drops.
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
            "a message is consumed");

        proxy.HasSwallowed.ShouldBeTrue(request);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }
}
