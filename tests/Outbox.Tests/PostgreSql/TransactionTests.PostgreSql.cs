using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.Outbox.Tests;

/// <summary>Tests what only PostgreSQL has: a batch that is atomic without a transaction, and a commit that can fail.</summary>
public sealed partial class TransactionTests
{
    [Fact]
    public Task Order_whose_message_cannot_be_inserted_is_not_inserted_without_a_transaction() =>
        NothingIsInsertedAsync(AutoTransactionBehavior.Never);

    [Fact]
    public async Task Failed_commit_sends_nothing()
    {
        await using (var db = Shop.CreateContext(Database.ConnectionString))
        {
            await db.Database.ExecuteSqlRawAsync(
                """
                CREATE TABLE shop.invoices (order_id uuid REFERENCES shop.orders DEFERRABLE INITIALLY DEFERRED)
                """
            );
        }

        await using var customer = Shop.NewCustomer();
        await using var transaction = await customer.Db.Database.BeginTransactionAsync();
        await customer.PlaceAsync(1);
        await customer.Db.SaveChangesAsync();
        await customer.Db.Database.ExecuteSqlAsync($"INSERT INTO shop.invoices VALUES ({Guid.NewGuid()})");
        (await Should.ThrowAsync<PostgresException>(() => transaction.CommitAsync())).SqlState.ShouldBe(
            PostgresErrorCodes.ForeignKeyViolation
        );

        await Shop.ShouldNotHaveConsumedAsync();
        (await Shop.ReadOutboxAsync()).ShouldBeEmpty();
    }
}
