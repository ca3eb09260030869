using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Persistence;
using Shouldly;
using Xunit;

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
        await using var left = new NpgsqlConnection(database.ConnectionString + ";Pooling=false");
        await left.OpenAsync();

        await database.DisposeAsync();

        await using var again = new NpgsqlConnection(database.ConnectionString + ";Pooling=false");
        var error = await Should.ThrowAsync<PostgresException>(() => again.OpenAsync());
        error.SqlState.ShouldBe(PostgresErrorCodes.InvalidCatalogName);
    }
}
