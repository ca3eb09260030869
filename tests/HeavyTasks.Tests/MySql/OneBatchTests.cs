using Microsoft.EntityFrameworkCore;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>A save without Entity Framework's transaction contains a transaction in its own batch.</summary>
public sealed class OneBatchTests : WorkerTest
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    // All contexts share one session, which is not reset between two users.
    private string OneSession => $"{Database.ConnectionString};Maximum Pool Size=1;Connection Reset=false";

    [Fact]
    public async Task All_of_a_batch_is_written()
    {
        await SaveAsync([Task("first"), new User { ExternalId = "1", Name = "one" }]);

        await using var db = Database.CreateContext();
        (await db.HeavyTasks.CountAsync()).ShouldBe(1);
        (await db.Users.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_batch_that_fails_writes_nothing_and_leaves_no_transaction_in_its_session()
    {
        await SaveAsync([Task("first"), new User { ExternalId = "1", Name = "one" }]);

        // Tables are written in the order of their names: when the user is refused, the task has been inserted.
        var refused = await Should.ThrowAsync<DbUpdateException>(
            SaveAsync([Task("second"), new User { ExternalId = "1", Name = "again" }])
        );

        Dialect.Current.IsDuplicateKey(refused).ShouldBeTrue();
        await using var db = Database.CreateContext();
        (await db.HeavyTasks.CountAsync()).ShouldBe(1);

        await InsertInSameSessionAsync();
        (await db.Users.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task A_batch_that_is_cancelled_while_it_waits_writes_nothing()
    {
        await using var holder = Database.CreateContext();
        await using var transaction = await holder.Database.BeginTransactionAsync();
        holder.Add(new User { ExternalId = "1", Name = "one" });
        await holder.SaveChangesAsync();
        using var cancel = new CancellationTokenSource();
        var waiting = SaveAsync([Task("second"), new User { ExternalId = "1", Name = "again" }], cancel.Token);
        await Eventually.Async(async () => await Database.LockWaitsAsync() == 1, Soon);

        await cancel.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(waiting);
        await transaction.CommitAsync();
        await InsertInSameSessionAsync();
        await using var db = Database.CreateContext();
        (await db.HeavyTasks.CountAsync()).ShouldBe(0);
        (await db.Users.CountAsync()).ShouldBe(2);
    }

    private static HeavyTask Task(string parameters) =>
        HeavyTask.Submit("test.kind", $"\"{parameters}\"", 1, TimeProvider.System.GetUtcNow().UtcDateTime);

    // If the session had left a transaction open, nobody else would see this row.
    private async Task InsertInSameSessionAsync()
    {
        await using var db = PlatformDatabase.CreateContext(OneSession);
        await db.Database.ExecuteSqlAsync($"INSERT INTO users (external_id, name) VALUES ('2', 'two')");
    }

    private async Task SaveAsync(object[] rows, CancellationToken cancellationToken = default)
    {
        await using var db = PlatformDatabase.CreateContext(OneSession);
        db.AddRange(rows);
        db.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
        await db.SaveChangesAsync(cancellationToken);
    }
}
