using MassTransit;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.ServiceDefaults;
using Platform.Support;
using Xunit;

namespace Platform.EndToEnd.Tests;

public sealed class ReceiveEndpointTests
{
    [Fact]
    public async Task An_endpoint_whose_broker_did_not_answer_once_consumes_all_the_same()
    {
        await using var broker = await TestBroker.CreateAsync();
        var silence = new SilentOnce();
        var received = 0;
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddOptions<MassTransitHostOptions>().Configure(options => options.WaitUntilStarted = false);
        builder.Services.AddMassTransit(bus => bus.UsingRabbitMq((_, rabbitMq) =>
        {
            rabbitMq.Host(broker.Uri);
            rabbitMq.UseHeavyTaskTopology();
            rabbitMq.ReceiveEndpoint(HeavyTaskTopology.QueueName("test.kind"), endpoint =>
            {
                endpoint.BindHeavyTaskKind("test.kind");
                endpoint.ConfigureChannel(channel => channel.UseFilter(silence));
                endpoint.Handler<HeavyTaskRequested>(_ => Task.FromResult(Interlocked.Increment(ref received)));
            });
        }));
        using var host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        // Until the endpoint has declared its queue, the broker drops what is published.
        var publisher = host.Services.GetRequiredService<IBus>();
        await Eventually.Async(
            async () =>
            {
                await publisher.Publish(new HeavyTaskRequested(Guid.CreateVersion7(), "test.kind"));
                return received > 0;
            },
            TimeSpan.FromSeconds(60),
            "a message is consumed");

        Assert.True(silence.WasReached);
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    // As RabbitMQ.Client tells it: cancelled, though nobody cancelled anything.
    private sealed class SilentOnce : IFilter<ChannelContext>
    {
        public bool WasReached { get; private set; }

        public Task Send(ChannelContext context, IPipe<ChannelContext> next)
        {
            if (WasReached)
            {
                return next.Send(context);
            }

            WasReached = true;
            throw new TaskCanceledException();
        }

        public void Probe(ProbeContext context)
        {
        }
    }
}
