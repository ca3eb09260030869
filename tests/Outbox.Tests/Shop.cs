using System.Collections.Concurrent;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>A service that publishes through the outbox and consumes what it published, one message at a time.</summary>
internal sealed class Shop : IAsyncDisposable
{
    public const string Queue = "shop";

    /// <summary>Long enough for a busy machine, and deliberately far shorter than the rest of a lease.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    // Shared, because services of one test share their queue, and either may consume a marker.
    private static readonly ConcurrentDictionary<Guid, bool> Markers = new();

    private readonly IHost host;

    private Shop(IHost host) => this.host = host;

    public IServiceProvider Services => host.Services;

    public OutboxRelay Relay => Services.GetRequiredService<OutboxRelay>();

    public IBus Bus => Services.GetRequiredService<IBus>();

    /// <summary>The store, which records what the service did to the table.</summary>
    public ObservedStore Store => (ObservedStore)Services.GetRequiredService<IOutboxStore>();

    /// <summary>The numbers of the orders, in the order of their consumption.</summary>
    public IReadOnlyList<int> Consumed => [.. Services.GetRequiredService<ConcurrentQueue<int>>()];

    /// <summary>Creates a database with the tables of the shop.</summary>
    public static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var database = await TestDatabase.CreateAsync();
        await using var db = CreateContext(database.ConnectionString);
        await db.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
        return database;
    }

    /// <summary>Starts the service. Settings are those of the section <c>Outbox</c>; the sweeper looks every 100 ms.</summary>
    public static async Task<Shop> StartAsync(
        string connectionString,
        Uri broker,
        Action<IServiceCollection>? configure = null,
        Action<IBusRegistrationConfigurator>? configureBus = null,
        bool pooled = false,
        bool connected = true,
        bool publishBus = false,
        params IEnumerable<(string Key, string Value)> settings
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Outbox:SweepInterval", (string?)"00:00:00.1")]);
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"Outbox:{s.Key}", (string?)s.Value)));
        builder.Services.AddLogging();
        builder.Services.AddSingleton<ConcurrentQueue<int>>();
        builder.Services.AddSingleton<IOutboxStore>(provider => new ObservedStore(
            new OutboxStore<ShopDbContext>(provider.GetRequiredService<IServiceScopeFactory>())
        ));
        if (publishBus)
        {
            builder.Services.AddMassTransit<IPublishBus>(bus =>
                bus.UsingRabbitMq(
                    (context, rabbitMq) =>
                        rabbitMq.Host(
                            broker,
                            host => host.OnRefreshConnectionFactory = context.GetRequiredService<BusConnection<IPublishBus>>().WatchAsync
                        )
                )
            );
            builder.Services.AddMassTransit<IProbeBus>(bus =>
                bus.UsingRabbitMq(
                    (context, rabbitMq) =>
                        rabbitMq.Host(
                            broker,
                            host => host.OnRefreshConnectionFactory = context.GetRequiredService<BusConnection<IProbeBus>>().WatchAsync
                        )
                )
            );
        }

        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddOutbox<ShopDbContext>();
            configureBus?.Invoke(bus);
            bus.UsingRabbitMq(
                (context, rabbitMq) =>
                {
                    rabbitMq.Host(broker);
                    rabbitMq.ReceiveEndpoint(
                        Queue,
                        endpoint =>
                        {
                            endpoint.PrefetchCount = 100;
                            endpoint.ConcurrentMessageLimit = 1;
                            endpoint.Handler<OrderPlaced>(message =>
                            {
                                context.GetRequiredService<ConcurrentQueue<int>>().Enqueue(message.Message.Number);
                                return Task.CompletedTask;
                            });
                            endpoint.Handler<Marker>(message =>
                            {
                                Markers[message.Message.Id] = true;
                                return Task.CompletedTask;
                            });
                        }
                    );
                    rabbitMq.ConfigureEndpoints(context);
                }
            );
        });
        if (pooled)
        {
            builder.Services.AddDbContextPool<ShopDbContext>(ConfigureContext, poolSize: 1);
        }
        else
        {
            builder.Services.AddDbContext<ShopDbContext>(ConfigureContext, ServiceLifetime.Scoped, ServiceLifetime.Singleton);
        }

        configure?.Invoke(builder.Services);
        var built = builder.Build();
        await built.StartAsync();
        if (connected)
        {
            // Before that, its queue may not be bound, and the broker drops what is published.
            await Eventually.Async(
                () => built.Services.GetRequiredService<IBusControl>().CheckHealth().Status == BusHealthStatus.Healthy,
                Soon
            );
        }

        return new Shop(built);

        void ConfigureContext(IServiceProvider provider, DbContextOptionsBuilder options) =>
            options.UseShopDatabase(connectionString).UseOutbox(provider);
    }

    /// <summary>Creates a context without the outbox's interceptor, to read with.</summary>
    public static ShopDbContext CreateContext(string connectionString) =>
        new((DbContextOptions<ShopDbContext>)new DbContextOptionsBuilder<ShopDbContext>().UseShopDatabase(connectionString).Options);

    public Customer NewCustomer() => new(host.Services.CreateAsyncScope());

    /// <summary>Places one order with its message, in a scope of its own.</summary>
    public async Task PlaceOrderAsync(int number)
    {
        await using var customer = NewCustomer();
        await customer.PlaceAsync(number);
        await customer.Db.SaveChangesAsync();
    }

    /// <summary>Reads the rows of the outbox.</summary>
    public async Task<List<OutboxMessage>> ReadOutboxAsync()
    {
        await using var customer = NewCustomer();
        return await customer.Db.Outbox.AsNoTracking().OrderBy(m => m.Id).ToListAsync();
    }

    /// <summary>Counts the messages in the outbox.</summary>
    public async Task<int> CountAsync()
    {
        await using var customer = NewCustomer();
        return await customer.Db.Outbox.CountAsync();
    }

    /// <summary>
    /// Waits until all pending messages were sent and consumed: two more sweeps have ended, and a directly published message has arrived.
    /// </summary>
    public async Task SettleAsync()
    {
        var sweeps = Store.Claims;
        await Eventually.Async(() => Store.Claims >= sweeps + 2 && Relay.IsIdle, Soon);
        var marker = new Marker(Guid.NewGuid());
        await Bus.Publish(marker);
        await Eventually.Async(() => Markers.ContainsKey(marker.Id), Soon);
    }

    /// <summary>Waits until exactly these orders were consumed, in any order, no row is left, and no more messages come.</summary>
    public async Task ShouldHaveConsumedAsync(params IEnumerable<int> numbers)
    {
        var expected = numbers.Order().ToList();
        await Eventually.Async(() => Consumed.Count >= expected.Count, Soon, $"{expected.Count} messages consumed");
        await Eventually.Async(async () => await CountAsync() == 0, Soon, "the outbox is empty");
        await SettleAsync();
        Consumed.Order().ShouldBe(expected);
    }

    /// <summary>Verifies that no message was sent.</summary>
    public async Task ShouldNotHaveConsumedAsync()
    {
        await SettleAsync();
        Consumed.ShouldBeEmpty();
    }

    public Task StopAsync() => host.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
    }
}

/// <summary>One scope: a context and the publish endpoint that writes to it.</summary>
internal sealed class Customer(AsyncServiceScope scope) : IAsyncDisposable
{
    public ShopDbContext Db => scope.ServiceProvider.GetRequiredService<ShopDbContext>();

    public IPublishEndpoint PublishEndpoint => scope.ServiceProvider.GetRequiredService<IPublishEndpoint>();

    public ISendEndpointProvider SendEndpointProvider => scope.ServiceProvider.GetRequiredService<ISendEndpointProvider>();

    /// <summary>Adds an order and publishes its message; saves nothing.</summary>
    public Task PlaceAsync(int number)
    {
        Db.Add(new Order { Number = number });
        return PublishEndpoint.Publish(new OrderPlaced(number));
    }

    public ValueTask DisposeAsync() => scope.DisposeAsync();
}

internal static class PublishEndpointExtensions
{
    /// <summary>Publishes messages with consecutive numbers, as one batch.</summary>
    public static Task PublishBatchAsync(this IPublishEndpoint endpoint, int first, int count) =>
        endpoint.PublishBatch(Enumerable.Range(first, count).Select(number => new OrderPlaced(number)));
}
