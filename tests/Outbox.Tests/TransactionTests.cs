using System.Data.Common;
using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Platform.Support;

namespace Platform.Outbox.Tests;

public sealed partial class TransactionTests : OutboxTest
{
    [Fact]
    public async Task Nothing_is_consumed_before_the_save_and_exactly_one_after()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        await Shop.ShouldNotHaveConsumedAsync();

        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1);
    }

    [Fact]
    public async Task Without_a_save_there_is_no_message()
    {
        await using (var customer = Shop.NewCustomer())
        {
            await customer.PlaceAsync(1);
        }

        await Shop.ShouldNotHaveConsumedAsync();
        (await Shop.ReadOutboxAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Synchronous_save_sends()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        customer.Db.SaveChanges();
        await Shop.ShouldHaveConsumedAsync(1);
    }

    [Fact]
    public async Task Failed_save_sends_nothing_and_its_repetition_sends_once()
    {
        await Shop.PlaceOrderAsync(1);
        await Shop.ShouldHaveConsumedAsync(1);

        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        await Should.ThrowAsync<DbUpdateException>(() => customer.Db.SaveChangesAsync());
        await Shop.ShouldHaveConsumedAsync(1);

        customer.Db.Entry(customer.Db.Orders.Local.Single()).State = EntityState.Detached;
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1, 1);
    }

    [Fact]
    public Task Order_whose_message_cannot_be_inserted_is_not_inserted() => NothingIsInsertedAsync(AutoTransactionBehavior.WhenNeeded);

    private async Task NothingIsInsertedAsync(AutoTransactionBehavior behavior)
    {
        await using var customer = Shop.NewCustomer();
        customer.Db.Database.AutoTransactionBehavior = behavior;
        await customer.PlaceAsync(1);
        await using (var db = Shop.CreateContext(Database.ConnectionString))
        {
            db.Add(
                new OutboxMessage
                {
                    Id = customer.Db.Outbox.Local.Single().Id,
                    DestinationAddress = "",
                    ContentType = "",
                    Body = [],
                    Error = "Takes the key.",
                }
            );
            await db.SaveChangesAsync();
        }

        await Should.ThrowAsync<DbUpdateException>(() => customer.Db.SaveChangesAsync());
        (await customer.Db.Orders.CountAsync()).ShouldBe(0);
        await Shop.ShouldNotHaveConsumedAsync();
    }

    [Theory]
    [InlineData(AutoTransactionBehavior.WhenNeeded)]
    [InlineData(AutoTransactionBehavior.Never)]
    public async Task Saved_order_is_sent_with_and_without_a_transaction(AutoTransactionBehavior behavior)
    {
        await using var customer = Shop.NewCustomer();
        customer.Db.Database.AutoTransactionBehavior = behavior;
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1);
    }

    [Fact]
    public async Task Save_inside_a_transaction_sends_after_the_commit()
    {
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldNotHaveConsumedAsync();

        await transaction.CommitAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Fact]
    public async Task Rollback_sends_nothing_and_leaves_no_row()
    {
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await transaction.RollbackAsync();

        await Shop.ShouldNotHaveConsumedAsync();
        (await Shop.ReadOutboxAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Message_of_a_transaction_left_without_commit_does_not_go_out_with_the_next_save()
    {
        await using var customer = Shop.NewCustomer();
        await using (await customer.Db.Database.BeginTransactionAsync())
        {
            await customer.PlaceAsync(1);
            await customer.Db.SaveChangesAsync();
        }

        // This is a single statement, so Entity Framework begins no transaction for it.
        await customer.PublishEndpoint.Publish(new OrderPlaced(2));
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(2);

        await using (var transaction = await customer.Db.Database.BeginTransactionAsync())
        {
            await customer.PublishEndpoint.Publish(new OrderPlaced(3));
            await customer.Db.SaveChangesAsync();
            await transaction.CommitAsync();
        }

        await Shop.ShouldHaveConsumedAsync(2, 3);
    }

    [Fact]
    public async Task Rollback_to_a_savepoint_sends_what_was_kept()
    {
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await transaction.CreateSavepointAsync("before_second");
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();
        await transaction.RollbackToSavepointAsync("before_second");
        await customer.PlaceAsync(3);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldNotHaveConsumedAsync();

        await transaction.CommitAsync();
        await Shop.ShouldHaveConsumedAsync(1, 3);
    }

    [Fact]
    public async Task Failed_save_inside_a_transaction_takes_no_earlier_message_with_it()
    {
        await Shop.PlaceOrderAsync(1);
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();

        // Entity Framework rolls back to its own savepoint.
        await customer.PlaceAsync(1);
        await Should.ThrowAsync<DbUpdateException>(() => customer.Db.SaveChangesAsync());
        customer.Db.ChangeTracker.Clear();

        await transaction.CommitAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Transaction_scope_decides(bool complete)
    {
        await using var customer = Shop.NewCustomer();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await customer.PlaceAsync(1);
            await customer.Db.SaveChangesAsync();

            // The scope is suppressed; otherwise the read would take part in it.
            using (new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled))
            {
                await Shop.ShouldNotHaveConsumedAsync();
            }

            if (complete)
            {
                scope.Complete();
            }
        }

        await Shop.ShouldHaveConsumedAsync(complete ? [1] : []);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Transaction_of_somebody_else_decides(bool commit)
    {
        await using var customer = Shop.NewCustomer();
        await customer.Db.Database.OpenConnectionAsync();
        var connection = customer.Db.Database.GetDbConnection();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await customer.Db.Database.UseTransactionAsync(transaction);
            await customer.PlaceAsync(1);
            await customer.Db.SaveChangesAsync();
            await Shop.ShouldNotHaveConsumedAsync();

            await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
        }

        await Shop.ShouldHaveConsumedAsync(commit ? [1] : []);

        await customer.Db.Database.UseTransactionAsync(null);
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(commit ? [1, 2] : [2]);
    }

    [Fact]
    public async Task Two_contexts_in_one_transaction_send_after_its_commit()
    {
        await using var first = Shop.NewCustomer();
        await using var transaction = await first.Db.Database.BeginTransactionAsync();
        await using var second = Shop.NewCustomer();
        second.Db.Database.SetDbConnection(first.Db.Database.GetDbConnection());
        await second.Db.Database.UseTransactionAsync(transaction.GetDbTransaction());
        await first.PlaceAsync(1);
        await first.Db.SaveChangesAsync();
        await second.PlaceAsync(2);
        await second.Db.SaveChangesAsync();
        await Shop.ShouldNotHaveConsumedAsync();

        await transaction.CommitAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Fact]
    public async Task Two_contexts_do_not_decide_for_each_other()
    {
        await using var first = Shop.NewCustomer();
        await using var transaction = await first.Db.Database.BeginTransactionAsync();
        await first.PlaceAsync(1);
        await first.Db.SaveChangesAsync();
        await using var second = Shop.NewCustomer();
        await second.PlaceAsync(2);
        await second.Db.SaveChangesAsync();
        await Eventually.Async(() => Shop.Consumed.Contains(2), Shop.Soon);

        await transaction.RollbackAsync();
        await Shop.ShouldHaveConsumedAsync(2);
    }

    [Fact]
    public async Task Message_forgotten_by_the_change_tracker_is_not_sent()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        customer.Db.ChangeTracker.Clear();
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(2);
    }

    [Fact]
    public async Task Sent_message_is_not_tracked_any_more()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        customer.Db.ChangeTracker.Entries<OutboxMessage>().ShouldBeEmpty();
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Changes_accepted_by_hand_send_once(bool inTransaction)
    {
        await using var customer = Shop.NewCustomer();
        var transaction = inTransaction ? await customer.Db.Database.BeginTransactionAsync() : null;
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync(acceptAllChangesOnSuccess: false);
        if (transaction is not null)
        {
            await Shop.ShouldNotHaveConsumedAsync();
            await transaction.CommitAsync();
        }

        await Eventually.Async(() => Shop.Consumed.Count > 0, Shop.Soon);
        customer.Db.ChangeTracker.AcceptAllChanges();
        await customer.PlaceAsync(2);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Fact]
    public async Task Transaction_tried_again_with_the_same_changes_sends_once()
    {
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        await using (var transaction = await customer.Db.Database.BeginTransactionAsync())
        {
            await customer.Db.SaveChangesAsync(acceptAllChangesOnSuccess: false);
            await transaction.RollbackAsync();
        }

        await using (var transaction = await customer.Db.Database.BeginTransactionAsync())
        {
            await customer.Db.SaveChangesAsync(acceptAllChangesOnSuccess: false);
            await transaction.CommitAsync();
        }

        customer.Db.ChangeTracker.AcceptAllChanges();
        await Shop.ShouldHaveConsumedAsync(1);
    }
}

public sealed class InterceptedSaveTests : OutboxTest
{
    private readonly Interference interference = new();

    [Fact]
    public async Task Save_prevented_by_an_interceptor_sends_nothing()
    {
        interference.PreventSave = true;
        await using var customer = Shop.NewCustomer();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldNotHaveConsumedAsync();

        interference.PreventSave = false;
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1);
    }

    [Fact]
    public async Task Message_published_while_saving_is_sent_with_the_save()
    {
        await using var customer = Shop.NewCustomer();
        interference.Saving = () => customer.PublishEndpoint.Publish(new OrderPlaced(2));
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Fact]
    public async Task Message_published_after_the_save_waits_for_the_next()
    {
        await using var customer = Shop.NewCustomer();
        interference.Saved = () => customer.PublishEndpoint.Publish(new OrderPlaced(2));
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1);

        interference.Saved = () => Task.CompletedTask;
        await customer.Db.SaveChangesAsync();
        await Shop.ShouldHaveConsumedAsync(1, 2);
    }

    [Fact]
    public async Task Commit_that_succeeded_but_was_reported_as_failed_sends()
    {
        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        interference.LoseCommitOf = customer.Db;
        await Should.ThrowAsync<TimeoutException>(() => transaction.CommitAsync());
        await Shop.ShouldHaveConsumedAsync(1);
    }

    internal override Task<Shop> StartShopAsync() =>
        Shop.StartAsync(
            Database.ConnectionString,
            Broker.Uri,
            services =>
                services.ConfigureDbContext<ShopDbContext>(options => options.AddInterceptors(interference), ServiceLifetime.Singleton)
        );

    private sealed class Interference : SaveChangesInterceptor, IDbTransactionInterceptor
    {
        public bool PreventSave { get; set; }

        // Transactions of the relay also pass here and must not be affected.
        public DbContext? LoseCommitOf { get; set; }

        public Func<Task> Saving { get; set; } = () => Task.CompletedTask;

        public Func<Task> Saved { get; set; } = () => Task.CompletedTask;

        public override async ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData,
            InterceptionResult<int> result,
            CancellationToken cancellationToken = default
        )
        {
            await Saving();
            return PreventSave ? InterceptionResult<int>.SuppressWithResult(0) : result;
        }

        public override async ValueTask<int> SavedChangesAsync(
            SaveChangesCompletedEventData eventData,
            int result,
            CancellationToken cancellationToken = default
        )
        {
            await Saved();
            return result;
        }

        public async ValueTask<InterceptionResult> TransactionCommittingAsync(
            DbTransaction transaction,
            TransactionEventData eventData,
            InterceptionResult result,
            CancellationToken cancellationToken = default
        )
        {
            if (LoseCommitOf is { } db && ReferenceEquals(eventData.Context, db))
            {
                await transaction.CommitAsync(cancellationToken);
                throw new TimeoutException("The answer to the commit did not arrive.");
            }

            return result;
        }
    }
}
