using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Support;

namespace Platform.Outbox.Tests;

public sealed class RegistrationTests
{
    [Fact]
    public void Second_outbox_is_refused()
    {
        var services = new ServiceCollection();
        services.AddMassTransit(bus =>
        {
            bus.AddOutbox<ShopDbContext>();
            Should.Throw<InvalidOperationException>(bus.AddOutbox<ShopDbContext>).Message.ShouldContain("one outbox");
            bus.UsingInMemory();
        });
    }

    [Fact]
    public async Task Relay_stops_before_the_bus()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddMassTransit(bus =>
        {
            bus.AddOutbox<ShopDbContext>();
            bus.UsingInMemory();
        });
        services.AddDbContext<ShopDbContext>(options => options.UseShopDatabase("Server=nowhere;Database=shop"));
        await using var provider = services.BuildServiceProvider();
        var hosted = provider.GetServices<IHostedService>().ToList();
        hosted.FindIndex(s => s is OutboxRelay).ShouldBeGreaterThan(hosted.FindIndex(s => s.GetType().Name == "MassTransitHostedService"));
    }

    [Theory]
    [InlineData("BufferLength", "1")]
    [InlineData("BatchSize", "0")]
    [InlineData("SweepInterval", "00:00:00")]
    [InlineData("PublishTimeout", "00:00:30")]
    [InlineData("MaxMessageLength", "1")]
    public async Task Option_out_of_range_prevents_the_start(string key, string value)
    {
        var exception = await Should.ThrowAsync<OptionsValidationException>(() =>
            Shop.StartAsync("Server=nowhere;Database=shop", new Uri("amqp://nowhere"), settings: [(key, value)])
        );
        exception.Message.ShouldContain(key);
    }
}

public sealed class PooledContextTests : OutboxTest
{
    [Fact]
    public async Task Reused_context_sends_nothing_of_its_earlier_use()
    {
        // Otherwise the sweeper might take the context from the pool in between.
        var pause = new TaskCompletionSource();
        var paused = new TaskCompletionSource();
        Shop.Store.Claiming = () =>
        {
            paused.TrySetResult();
            return pause.Task;
        };
        await paused.Task.WaitAsync(Shop.Soon);
        ShopDbContext first;
        await using (var customer = Shop.NewCustomer())
        {
            first = customer.Db;
            await customer.PlaceAsync(1);
        }

        await using (var customer = Shop.NewCustomer())
        {
            customer.Db.ShouldBeSameAs(first);
            await using (await customer.Db.Database.BeginTransactionAsync())
            {
                await customer.PlaceAsync(2);
                await customer.Db.SaveChangesAsync();
            }
        }

        await using (var customer = Shop.NewCustomer())
        {
            customer.Db.ShouldBeSameAs(first);
            await customer.PublishEndpoint.Publish(new OrderPlaced(3));
            await customer.Db.SaveChangesAsync();
        }

        pause.SetResult();
        await Shop.ShouldHaveConsumedAsync(3);
    }

    internal override Task<Shop> StartShopAsync() => Shop.StartAsync(Database.ConnectionString, Broker.Uri, pooled: true);
}
