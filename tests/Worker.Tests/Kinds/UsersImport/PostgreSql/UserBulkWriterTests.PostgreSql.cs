using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Tests.Kinds.UsersImport;

/// <summary>
/// Tests what only PostgreSQL shows: whether a row was written. MySQL by itself does not write a row that does not change.
/// </summary>
public sealed partial class UserBulkWriterTests
{
    [Fact]
    public async Task Update_does_not_write_again_what_is_the_same_and_still_counts_it()
    {
        UserRow[] rows = [new("a", "A", null, "DE", Time), new("b", "B", "b@example.org", null, null)];
        await WriteAsync(rows, ExistingUser.Update);
        var before = await RowVersionsAsync();

        (await WriteAsync([rows[0], rows[1] with { Email = null }], ExistingUser.Update)).ShouldBe(new UserBulkWriteResult(0, 2, null));

        var after = await RowVersionsAsync();
        after[0].ShouldBe(before[0]);
        after[1].ShouldNotBe(before[1]);
    }

    private async Task<List<string>> RowVersionsAsync()
    {
        await using var db = database.CreateContext();
        return await db.Database.SqlQueryRaw<string>("SELECT ctid::text AS \"Value\" FROM users ORDER BY external_id").ToListAsync();
    }
}
