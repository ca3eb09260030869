using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Support.Tests;

public sealed class TestDatabaseTests
{
    [Fact]
    public async Task Databases_of_two_tests_share_nothing()
    {
        await using var one = await TestDatabase.CreateAsync();
        await using var other = await TestDatabase.CreateAsync();
        await using (var db = one.CreateContext())
        {
            db.Users.Add(new User { ExternalId = "1", Name = "Ada" });
            await db.SaveChangesAsync();
        }

        await using var seenByOne = one.CreateContext();
        await using var seenByOther = other.CreateContext();
        (await seenByOne.Users.CountAsync()).ShouldBe(1);
        (await seenByOther.Users.CountAsync()).ShouldBe(0);
        (await seenByOther.Database.GetPendingMigrationsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Database_is_dropped_while_somebody_is_connected()
    {
        var database = await TestDatabase.CreateAsync();
        await using var left = await database.OpenAsync(pooled: false);

        await database.DisposeAsync();

        var error = await Should.ThrowAsync<DbException>(() => database.OpenAsync(pooled: false));
        error.Message.ShouldContain("database", Case.Insensitive);
    }
}
