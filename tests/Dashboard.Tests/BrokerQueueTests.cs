using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Dashboard;
using Platform.Support;
using RabbitMQ.Client;

namespace Platform.Dashboard.Tests;

/// <summary>A look at the queues uses a connection of the bus, and must not end it.</summary>
public sealed class BrokerQueueTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private TestBroker broker = null!;
    private TcpProxy proxy = null!;
    private ServiceProvider services = null!;

    public async ValueTask InitializeAsync()
    {
        broker = await TestBroker.CreateAsync();
        proxy = TcpProxy.Before(broker.Uri, out var throughProxy);
        services = new ServiceCollection()
            .AddLogging()
            .AddMassTransit(bus =>
            {
                bus.DisableUsageTelemetry();
                bus.UsingRabbitMq((_, rabbitMq) => rabbitMq.Host(throughProxy));
            })
            .BuildServiceProvider();
        await services.GetRequiredService<IBusControl>().StartAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        proxy.Speak();
        await services.GetRequiredService<IBusControl>().StopAsync(Patience);
        await services.DisposeAsync();
        await proxy.DisposeAsync();
        await broker.DisposeAsync();
    }

    [Fact]
    public async Task Each_queue_is_named_with_its_messages_and_one_that_is_not_there_too()
    {
        await broker.DeclareQueueAsync(HeavyTaskTopology.QueueName("b"), new Dictionary<string, object?>());
        await broker.PublishAsync("", HeavyTaskTopology.QueueName("b"), new byte[1], "text/plain");
        var before = await ConnectionAsync();

        var found = await CreateQueues().ReadAsync(["a", "b", "c"], CancellationToken.None);

        found.Queues.ShouldBe([new QueueFigure("a", null, 0), new QueueFigure("b", 1, 0), new QueueFigure("c", null, 0)]);
        (await ConnectionAsync()).ShouldBeSameAs(before);
    }

    [Fact]
    public async Task A_look_that_fails_leaves_the_connection_of_the_bus_alone()
    {
        // A queue of one connection refuses every other one, also the question for it.
        await using var other = await new ConnectionFactory { Uri = broker.Uri }.CreateConnectionAsync();
        await using var channel = await other.CreateChannelAsync();
        await channel.QueueDeclareAsync(HeavyTaskTopology.QueueName("locked"), durable: false, exclusive: true, autoDelete: true);
        var queues = CreateQueues();
        var before = await ConnectionAsync();

        (await Should.ThrowAsync<InvalidOperationException>(() => queues.ReadAsync(["locked"], CancellationToken.None))).Message.ShouldBe(
            "The broker did not answer."
        );

        (await ConnectionAsync()).ShouldBeSameAs(before);
        before.IsOpen.ShouldBeTrue();
        (await queues.ReadAsync(["other"], CancellationToken.None)).Queues.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_look_that_is_given_up_leaves_the_connection_of_the_bus_alone()
    {
        var queues = CreateQueues();
        var before = await ConnectionAsync();
        proxy.FallSilent();
        using var leaving = new CancellationTokenSource();
        var look = queues.ReadAsync(["a"], leaving.Token);

        await leaving.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => look.WaitAsync(Patience));
        proxy.Speak();
        await Eventually.Async(async () => (await queues.ReadAsync(["a"], CancellationToken.None)).Queues.Count == 1, Patience);
        (await ConnectionAsync()).ShouldBeSameAs(before);
        before.IsOpen.ShouldBeTrue();
    }

    [Fact]
    public async Task A_look_that_never_ends_keeps_no_other_one_out_and_there_are_never_many()
    {
        var supervisor = new Supervisor();
        var queues = new BrokerQueues([supervisor.Bus]) { Limit = TimeSpan.FromMilliseconds(200) };
        await Should.ThrowAsync<TimeoutException>(() => queues.ReadAsync(["a"], CancellationToken.None));
        await Should.ThrowAsync<TimeoutException>(() => queues.ReadAsync(["a"], CancellationToken.None));
        supervisor.Sends.Count.ShouldBe(2, "the first one was given up, so there was another one");

        await Should.ThrowAsync<TimeoutException>(() => queues.ReadAsync(["a"], CancellationToken.None));

        supervisor.Sends.Count.ShouldBe(2);
        supervisor.Sends[0].SetResult();
        supervisor.Sends[1].SetResult();
        await Eventually.Async(
            async () =>
            {
                var look = queues.ReadAsync(["a"], CancellationToken.None);
                supervisor.Sends[^1].TrySetResult();
                return (await look).Queues.Count == 0;
            },
            Patience
        );
    }

    [Fact]
    public async Task A_look_that_got_its_turn_too_late_asks_for_nothing()
    {
        var supervisor = new Supervisor();
        var queues = new BrokerQueues([supervisor.Bus]) { Limit = TimeSpan.FromMilliseconds(100) };
        await Should.ThrowAsync<TimeoutException>(() => queues.ReadAsync(["a"], CancellationToken.None));
        var asked = 0;
        var connection = Fake.Of<ConnectionContext>(
            (_, _) =>
            {
                asked++;
                return null;
            }
        );

        await supervisor.Pipes.Single().Send(connection);

        asked.ShouldBe(0);
    }

    private BrokerQueues CreateQueues() => new(services.GetServices<IBusInstance>());

    // The connection that the bus has now; another one after its end.
    private async Task<IConnection> ConnectionAsync()
    {
        var host = (IRabbitMqHostConfiguration)services.GetServices<IBusInstance>().Single().HostConfiguration;
        var found = new TaskCompletionSource<IConnection>();
        await host.ConnectionContextSupervisor.Send(
            Pipe.Execute<ConnectionContext>(connection => found.SetResult(connection.Connection)),
            CancellationToken.None
        );
        return await found.Task.WaitAsync(Patience);
    }

    // A connection that never comes, until a test lets it.
    private sealed class Supervisor
    {
        public Supervisor()
        {
            var connections = Fake.Of<IConnectionContextSupervisor>(
                (method, arguments) =>
                {
                    if (method != "Send")
                    {
                        return null;
                    }

                    Pipes.Add((IPipe<ConnectionContext>)arguments[0]!);
                    Sends.Add(new TaskCompletionSource());
                    return Sends[^1].Task;
                }
            );
            var host = Fake.Of<IRabbitMqHostConfiguration>((_, _) => connections);
            Bus = Fake.Of<IBusInstance>((method, _) => method == "get_InstanceType" ? typeof(IBus) : host);
        }

        public IBusInstance Bus { get; }

        public List<TaskCompletionSource> Sends { get; } = [];

        public List<IPipe<ConnectionContext>> Pipes { get; } = [];
    }
}
