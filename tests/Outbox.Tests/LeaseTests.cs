using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>Tests who sends a message when several relays could, and what happens to the messages of a relay that died.</summary>
public sealed class LeaseTests : OutboxTest
{
    private readonly ShiftedTime time = new();

    [Fact]
    public async Task Message_of_a_relay_that_died_between_confirm_and_delete_is_delivered_again()
    {
        var death = new TaskCompletionSource();
        Shop.Store.Deleting = _ => death.Task;
        Shop.Store.Claiming = () => death.Task;
        await Shop.PlaceOrderAsync(1);
        await Eventually.Async(() => Shop.Consumed.Count == 1, Shop.Soon);

        await using var other = await StartShopAsync();
        await other.SettleAsync();
        (await other.ReadOutboxAsync()).ShouldHaveSingleItem().LeaseOwner.ShouldBe(Shop.Relay.Id);
        await EndLeasesAsync();
        await Eventually.Async(() => Shop.Consumed.Concat(other.Consumed).SequenceEqual([1, 1]), Shop.Soon);
        await Eventually.Async(async () => await other.CountAsync() == 0, Shop.Soon);
        death.SetResult();
    }

    [Fact]
    public async Task Relay_that_lost_its_lease_deletes_nothing()
    {
        var pause = new TaskCompletionSource();
        var deleting = new TaskCompletionSource();
        Shop.Store.Claiming = () => pause.Task;
        Shop.Store.Deleting = _ =>
        {
            deleting.TrySetResult();
            return pause.Task;
        };
        await Shop.PlaceOrderAsync(1);
        await deleting.Task.WaitAsync(Shop.Soon);
        var nextOwner = Guid.NewGuid();
        await using (var db = Shop.CreateContext(Database.ConnectionString))
        {
            await db.Outbox.ExecuteUpdateAsync(update => update.SetProperty(m => m.LeaseOwner, nextOwner));
        }

        pause.SetResult();
        await Shop.SettleAsync();
        (await Shop.ReadOutboxAsync()).ShouldHaveSingleItem().LeaseOwner.ShouldBe(nextOwner);
    }

    [Fact]
    public async Task Message_under_the_lease_of_another_relay_is_left_alone_until_the_lease_ends()
    {
        await using (var customer = Shop.NewCustomer())
        {
            await customer.PlaceAsync(1);
            await customer.PlaceAsync(2);
            await using var db = Shop.CreateContext(Database.ConnectionString);
            foreach (var message in customer.Db.Outbox.Local)
            {
                db.Add(message);
                message.LeaseOwner = Guid.NewGuid();
            }

            await db.SaveChangesAsync();
        }

        await Shop.ShouldNotHaveConsumedAsync();
        await EndLeasesAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Fact]
    public async Task Two_relays_share_what_was_left_behind_and_send_nothing_twice()
    {
        var start = new TaskCompletionSource();
        Shop.Store.Claiming = () => start.Task;
        await using var other = await StartShopAsync();
        other.Store.Claiming = () => start.Task;
        await using (var customer = Shop.NewCustomer())
        {
            await customer.PublishEndpoint.PublishBatchAsync(1, 3000);
            await using var db = Shop.CreateContext(Database.ConnectionString);
            db.AddRange(customer.Db.Outbox.Local);
            await db.SaveChangesAsync();
        }

        start.SetResult();

        // Both services get new messages meanwhile.
        await Parallel.ForEachAsync(
            Enumerable.Range(3001, 200),
            async (number, _) => await (number % 2 == 0 ? Shop : other).PlaceOrderAsync(number)
        );
        await Eventually.Async(async () => await Shop.CountAsync() == 0, Shop.Soon);
        await Eventually.Async(() => Shop.Consumed.Count + other.Consumed.Count >= 3200, Shop.Soon);
        await Shop.SettleAsync();
        await other.SettleAsync();
        Shop.Consumed.Concat(other.Consumed).Order().ShouldBe(Enumerable.Range(1, 3200));
        Shop.Store.Claimed.ShouldNotBeEmpty();
        other.Store.Claimed.ShouldNotBeEmpty();
        Shop.Store.Claimed.Intersect(other.Store.Claimed).ShouldBeEmpty();
    }

    [Fact]
    public async Task Message_whose_transaction_outlived_its_lease_is_sent_once_and_not_from_memory()
    {
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(1);
        var id = customer.Db.Outbox.Local.Single().Id;
        await customer.Db.SaveChangesAsync();
        time.Forward(TimeSpan.FromSeconds(25));
        await transaction.CommitAsync();

        await Shop.ShouldHaveConsumedAsync(1);
        Shop.Store.Claimed.ShouldBe([id]);
    }

    [Fact]
    public async Task Message_handed_over_is_not_claimed()
    {
        await Shop.PlaceOrderAsync(1);
        await Shop.ShouldHaveConsumedAsync(1);
        Shop.Store.Claimed.ShouldBeEmpty();
    }

    internal override Task<Shop> StartShopAsync() =>
        Shop.StartAsync(Database.ConnectionString, Broker.Uri, services => services.AddSingleton<TimeProvider>(time));

    private async Task EndLeasesAsync()
    {
        await using var db = Shop.CreateContext(Database.ConnectionString);
        await db.Database.ExecuteSqlRawAsync(ShopDatabase.EndLeases);
    }
}

public sealed class FullBufferTests : OutboxTest
{
    [Fact]
    public async Task What_does_not_fit_into_the_buffer_belongs_to_nobody_and_is_sent_all_the_same()
    {
        var pause = new TaskCompletionSource();
        Shop.Store.Claiming = () => pause.Task;
        Shop.Store.Deleting = _ => pause.Task;
        for (var number = 1; number <= 50; number++)
        {
            await Shop.PlaceOrderAsync(number);
        }

        await using (var db = Shop.CreateContext(Database.ConnectionString))
        {
            // What fits into 8 KiB, plus what was sent before the relay noticed that deletes hang: 5 taken, 5 waiting, and one more.
            (await db.Outbox.CountAsync(m => m.LeaseOwner == Shop.Relay.Id)).ShouldBeInRange(2, 20);
            (await db.Outbox.CountAsync(m => m.LeaseOwner == null)).ShouldBeInRange(30, 48);
        }

        pause.SetResult();
        await Shop.ShouldHaveConsumedAsync(Enumerable.Range(1, 50));
    }

    [Fact]
    public async Task One_save_does_not_lease_more_than_fits()
    {
        var pause = new TaskCompletionSource();
        Shop.Store.Claiming = () => pause.Task;
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PublishEndpoint.PublishBatchAsync(1, 100);
        await customer.Db.SaveChangesAsync();
        (await customer.Db.Outbox.CountAsync(m => m.LeaseOwner == Shop.Relay.Id)).ShouldBeInRange(1, 8);

        await transaction.CommitAsync();
        pause.SetResult();
        await Shop.ShouldHaveConsumedAsync(Enumerable.Range(1, 100));
    }

    internal override Task<Shop> StartShopAsync() =>
        Shop.StartAsync(Database.ConnectionString, Broker.Uri, settings: [("BufferLength", "8192"), ("BatchSize", "1")]);
}
