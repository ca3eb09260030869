using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

/// <summary>The meaning of an error decides whether a client is told to try again, so each error is provoked on a real server.</summary>
public sealed class ErrorTests(ConformanceDatabase database) : ConformanceTest(database)
{
    [Fact]
    public async Task A_second_row_of_a_unique_key_is_a_duplicate_key_and_nothing_else()
    {
        var key = NewKey();
        await AddThingAsync(key);

        var error = await Should.ThrowAsync<DbUpdateException>(() => AddThingAsync(key));

        Means(error).ShouldBe(["duplicate key"]);
    }

    [Theory]
    [InlineData("INSERT INTO things (thing_key, name) VALUES (NULL, 'x')")]
    [InlineData("SELEC 1")]
    public async Task A_mistake_of_the_caller_is_nothing_to_try_again(string sql)
    {
        await using var db = CreateContext();

        var error = await Should.ThrowAsync<DbException>(() => ScalarAsync(db, sql));

        Means(error).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("SELECT nothing FROM things")]
    [InlineData("SELECT 1 FROM nothing")]
    public async Task A_table_or_column_that_is_not_there_is_an_error_of_the_schema(string sql)
    {
        await using var db = CreateContext();

        var error = await Should.ThrowAsync<DbException>(() => ScalarAsync(db, sql));

        Means(error).ShouldBe(["schema"]);
    }

    [Theory]
    [InlineData("SELECT actor FROM audit_entries")]
    [InlineData("SELECT id FROM api_keys")]
    public async Task A_table_or_column_that_the_user_may_not_use_is_refused(string sql)
    {
        var database = await TestDatabase.CreateAsync();
        var roles = await DatabaseRoles.CreateAsync(database.ConnectionString);
        try
        {
            await roles.GrantAsync(database.ConnectionString);
            await using var db = CreateContext(roles.Worker);
            await ScalarAsync(db, "SELECT count(id) FROM audit_entries");

            var error = await Should.ThrowAsync<DbException>(() => ScalarAsync(db, sql));

            Means(error).ShouldBe(["refused"]);
        }
        finally
        {
            await database.DisposeAsync();
            await roles.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_deadlock_is_a_conflict_and_transient()
    {
        string[] keys = [NewKey(), NewKey()];
        await AddThingAsync(keys[0]);
        await AddThingAsync(keys[1]);
        await using var first = CreateContext();
        await using var second = CreateContext();
        await using var one = await first.Database.BeginTransactionAsync(Cancelled);
        await using var two = await second.Database.BeginTransactionAsync(Cancelled);
        await RenameAsync(first, keys[0]);
        await RenameAsync(second, keys[1]);

        var waiting = RenameAsync(first, keys[1]);
        await Eventually.Async(async () => await Server.LockWaitsAsync() == 1, Soon, "one waits for the other");
        var closing = RenameAsync(second, keys[0]);
        var errors = await Task.WhenAll(ErrorOfAsync(waiting), ErrorOfAsync(closing));

        var error = errors.OfType<Exception>().ShouldHaveSingleItem();
        Means(error).ShouldBe(["conflict", "transient"]);

        static async Task<Exception?> ErrorOfAsync(Task work)
        {
            try
            {
                await work;
                return null;
            }
            catch (Exception exception)
            {
                return exception;
            }
        }
    }

    [Fact]
    public async Task A_wait_for_a_lock_that_takes_too_long_is_a_conflict_and_transient()
    {
        var key = NewKey();
        await AddThingAsync(key);
        await using var holder = CreateContext();
        await using var held = await holder.Database.BeginTransactionAsync(Cancelled);
        await RenameAsync(holder, key);
        await using var db = CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(Cancelled);
        await db.Database.ExecuteSqlRawAsync(
            Database.HasSchemas ? "SET LOCAL lock_timeout = '1s'" : "SET SESSION innodb_lock_wait_timeout = 1",
            Cancelled
        );

        var error = await Should.ThrowAsync<Exception>(() => RenameAsync(db, key));

        Means(error).ShouldBe(["conflict", "transient"]);
    }

    [Fact]
    public async Task No_connection_in_time_is_transient()
    {
        await using var service = CreateService("dry", ("Database:MaxPoolSize", "1"), ("Database:AcquireTimeout", "00:00:01"));
        await using var holder = CreateContextOf(service);
        await holder.Database.OpenConnectionAsync(Cancelled);
        await using var db = CreateContextOf(service);

        var error = await Should.ThrowAsync<Exception>(() => db.Things.CountAsync(Cancelled));

        Means(error).ShouldBe(["transient"]);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_transient()
    {
        await using var db = CreateContext($"{Server.ConnectionString};Port=1");

        var error = await Should.ThrowAsync<Exception>(() => db.Things.CountAsync(Cancelled));

        Means(error).ShouldBe(["transient"]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_the_server_ended_is_transient(bool transaction)
    {
        var name = $"ended-{transaction}".ToLowerInvariant();
        await using var service = CreateService(name);
        await using var db = CreateContextOf(service);
        await db.Database.OpenConnectionAsync(Cancelled);
        await Server.EndConnectionsAsync(name);

        // PostgreSQL begins a transaction with its first statement, so nothing fails before that.
        var error = await Should.ThrowAsync<Exception>(async () =>
        {
            await using var begun = transaction ? await db.Database.BeginTransactionAsync(Cancelled) : null;
            await db.Things.CountAsync(Cancelled);
        });

        Means(error).ShouldBe(["transient"]);
    }

    private static string[] Means(Exception error) =>
        [
            .. error is DbUpdateException update && Database.IsDuplicateKey(update) ? ["duplicate key"] : Array.Empty<string>(),
            .. Database.IsConflict(error) ? ["conflict"] : Array.Empty<string>(),
            .. Database.IsTransient(error) ? ["transient"] : Array.Empty<string>(),
            .. Database.IsSchemaError(error) ? ["schema"] : Array.Empty<string>(),
            .. Database.IsRefused(error) ? ["refused"] : Array.Empty<string>(),
        ];

    private static Task<int> RenameAsync(ConformanceDbContext db, string key) =>
        db.Things.Where(t => t.Key == key).ExecuteUpdateAsync(set => set.SetProperty(t => t.Name, "renamed"), Cancelled);

    private async Task AddThingAsync(string key)
    {
        await using var db = CreateContext();
        db.Add(new Thing { Key = key });
        await db.SaveChangesAsync(Cancelled);
    }
}
