using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>Gives each test a database, a virtual host and a running shop.</summary>
public abstract class OutboxTest : IAsyncLifetime
{
    private TestDatabase? database;
    private TestBroker? broker;
    private Shop? shop;

    internal TestDatabase Database => database!;

    internal TestBroker Broker => broker!;

    internal Shop Shop => shop!;

    public virtual async ValueTask InitializeAsync()
    {
        database = await Shop.CreateDatabaseAsync();
        broker = await TestBroker.CreateAsync();
        shop = await StartShopAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (shop is not null)
        {
            await shop.DisposeAsync();
        }

        if (broker is not null)
        {
            await broker.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }
    }

    internal virtual Task<Shop> StartShopAsync() => Shop.StartAsync(Database.ConnectionString, Broker.Uri);
}
