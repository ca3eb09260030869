using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Worker.Tests.Kinds.UsersImport;

public sealed partial class UserBulkWriterTests : IAsyncLifetime
{
    private const UserColumns All = UserColumns.Email | UserColumns.Country | UserColumns.SignedUpAt;

    private static readonly DateTime Time = new(2024, 1, 31, 12, 0, 0, DateTimeKind.Utc);

    private readonly UserBulkWriter writer = new();

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData(ExistingUser.Skip)]
    [InlineData(ExistingUser.Update)]
    [InlineData(ExistingUser.Fail)]
    public async Task New_users_are_inserted_with_all_their_columns(ExistingUser mode)
    {
        UserRow[] rows = [new("b", "B", "b@example.org", "DE", Time), new("a", "A", null, null, null)];

        (await WriteAsync(rows, mode)).ShouldBe(new UserBulkWriteResult(2, 0, null));

        (await StoredAsync()).ShouldBe([rows[1], rows[0]]);
    }

    [Fact]
    public async Task Skip_counts_existing_users_and_leaves_them_alone()
    {
        await WriteAsync([new("a", "Old", null, "DE", Time)], ExistingUser.Skip);

        (await WriteAsync([new("a", "New", "x", "FR", null), new("b", "B", null, null, null)], ExistingUser.Skip)).ShouldBe(
            new UserBulkWriteResult(1, 1, null)
        );

        (await StoredAsync()).ShouldBe([new("a", "Old", null, "DE", Time), new("b", "B", null, null, null)]);
    }

    [Theory]
    [InlineData(UserColumns.None, "old@example.org", "DE", true)]
    [InlineData(UserColumns.Email, null, "DE", true)]
    [InlineData(UserColumns.Country, "old@example.org", "FR", true)]
    [InlineData(UserColumns.SignedUpAt, "old@example.org", "DE", false)]
    [InlineData(All, null, "FR", false)]
    public async Task Update_overwrites_the_columns_it_is_told(UserColumns columns, string? email, string? country, bool hasTime)
    {
        await WriteAsync([new("a", "Old", "old@example.org", "DE", Time)], ExistingUser.Update);

        (await WriteAsync([new("a", "New", null, "FR", null), new("b", "B", null, null, null)], ExistingUser.Update, columns)).ShouldBe(
            new UserBulkWriteResult(1, 1, null)
        );

        (await StoredAsync()).ShouldBe([new("a", "New", email, country, hasTime ? Time : null), new("b", "B", null, null, null)]);
    }

    [Fact]
    public async Task Fail_reports_the_first_existing_user_in_the_order_of_the_rows()
    {
        await WriteAsync([new("a", "A", null, null, null), new("m", "M", null, null, null)], ExistingUser.Skip);

        (
            await WriteAsync(
                [new("z", "Z", null, null, null), new("m", "M", null, null, null), new("a", "A", null, null, null)],
                ExistingUser.Fail
            )
        ).ShouldBe(new UserBulkWriteResult(1, 2, 1));
    }

    [Fact]
    public async Task Counts_stay_right_when_existing_users_come_and_go()
    {
        await WriteAsync([new("2", "", null, null, null), new("5", "", null, null, null)], ExistingUser.Skip);

        var results = new List<(int, int)>();
        await using var db = database.CreateContext();
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            // Several batches run in one transaction; the first comes after a failed straight copy.
            foreach (var batch in new[] { new[] { "1", "2" }, ["3", "4"], ["5", "6"], ["7"] })
            {
                var result = await writer.WriteAsync(
                    db,
                    [.. batch.Select(id => new UserRow(id, "", null, null, null))],
                    ExistingUser.Skip,
                    All,
                    CancellationToken.None
                );
                results.Add((result.Inserted, result.Existing));
            }

            await transaction.CommitAsync();
        }

        results.ShouldBe([(1, 1), (2, 0), (1, 1), (1, 0)]);
        (await StoredAsync()).Count.ShouldBe(7);
    }

    [Fact]
    public async Task What_the_context_saved_before_survives_a_straight_copy_that_failed()
    {
        await WriteAsync([new("a", "A", null, null, null)], ExistingUser.Skip);
        await using var db = database.CreateContext();
        await using (var transaction = await db.Database.BeginTransactionAsync())
        {
            db.Users.Add(new User { ExternalId = "saved", Name = "Saved" });
            await db.SaveChangesAsync();
            await new UserBulkWriter().WriteAsync(
                db,
                [new("a", "A", null, null, null), new("b", "B", null, null, null)],
                ExistingUser.Skip,
                All,
                CancellationToken.None
            );
            await transaction.CommitAsync();
        }

        (await StoredAsync()).Select(u => u.ExternalId).ShouldBe(["a", "b", "saved"]);
    }

    [Fact]
    public async Task A_rolled_back_batch_leaves_nothing()
    {
        await using var db = database.CreateContext();
        await using (await db.Database.BeginTransactionAsync())
        {
            await writer.WriteAsync(db, [new("a", "A", null, null, null)], ExistingUser.Skip, All, CancellationToken.None);
        }

        (await StoredAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_transaction_nothing_is_written()
    {
        await using var db = database.CreateContext();

        await Should.ThrowAsync<InvalidOperationException>(() =>
            writer.WriteAsync(db, [new("a", "A", null, null, null)], ExistingUser.Skip, All, CancellationToken.None)
        );

        (await StoredAsync()).ShouldBeEmpty();
    }

    private async Task<UserBulkWriteResult> WriteAsync(UserRow[] rows, ExistingUser mode, UserColumns columns = All)
    {
        await using var db = database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var result = await writer.WriteAsync(db, rows, mode, columns, CancellationToken.None);
        await transaction.CommitAsync();
        return result;
    }

    private async Task<List<UserRow>> StoredAsync()
    {
        await using var db = database.CreateContext();
        return await db
            .Users.OrderBy(u => u.ExternalId)
            .Select(u => new UserRow(u.ExternalId, u.Name, u.Email, u.Country, u.SignedUpAt))
            .ToListAsync();
    }
}
