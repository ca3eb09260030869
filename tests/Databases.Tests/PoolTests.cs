using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

public sealed class PoolTests(ConformanceDatabase database) : ConformanceTest(database)
{
    [Fact]
    public async Task The_pool_tells_what_is_in_use_idle_and_waited_for()
    {
        await using var service = CreateService("told", ("Database:MaxPoolSize", "2"), ("Database:AcquireTimeout", "00:00:30"));
        var pool = service.GetRequiredService<DatabasePool>();
        (pool.Max, pool.Read()).ShouldBe((2, (0, 0, 0)));
        await using var first = CreateContextOf(service);
        await using var second = CreateContextOf(service);
        await using var third = CreateContextOf(service);
        await first.Database.OpenConnectionAsync(Cancelled);
        pool.Read().ShouldBe((1, 0, 0));
        await second.Database.OpenConnectionAsync(Cancelled);

        var waiting = third.Database.OpenConnectionAsync(Cancelled);
        await Eventually.Async(() => Task.FromResult(pool.Read() == (2, 0, 1)), Soon, "one waits");
        await first.Database.CloseConnectionAsync();
        await waiting;
        pool.Read().ShouldBe((2, 0, 0));
        await second.Database.CloseConnectionAsync();
        await third.Database.CloseConnectionAsync();

        await Eventually.Async(() => Task.FromResult(pool.Read() == (0, 2, 0)), Soon, "both are idle");
    }

    [Fact]
    public async Task Pools_of_other_names_are_not_counted()
    {
        await using var service = CreateService("counted");
        await using var other = CreateService("not-counted");
        var pool = service.GetRequiredService<DatabasePool>();
        other.GetRequiredService<DatabasePool>();
        await using var db = CreateContextOf(other);
        await db.Database.OpenConnectionAsync(Cancelled);

        pool.Read().ShouldBe((0, 0, 0));
    }

    [Fact]
    public async Task The_server_shows_the_service_and_never_more_connections_than_the_pool_has()
    {
        await using var service = CreateService("shown", ("Database:MaxPoolSize", "3"), ("Database:AcquireTimeout", "00:00:30"));

        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => UseAsync()));

        var count = TestDatabase.CountConnections("shown", busy: false);
        Convert.ToInt64(await Server.ScalarAsync(count), CultureInfo.InvariantCulture).ShouldBeInRange(1, 3);

        async Task UseAsync()
        {
            await using var db = CreateContextOf(service);
            await db.Things.CountAsync(Cancelled);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_session_is_reset_between_two_users_unless_that_is_switched_off(bool reset)
    {
        await using var service = CreateService(
            $"reset-{reset}",
            ("Database:MaxPoolSize", "1"),
            ("Database:ResetSessions", $"{reset}"),
            ("Database:MaxPreparedStatements", "0")
        );
        await using (var first = CreateContextOf(service))
        {
            await ScalarAsync(first, Database.HasSchemas ? "SET application_name = 'left'; SELECT 1" : "SET @left = 1; SELECT 1");
        }

        await using var second = CreateContextOf(service);
        var left = await ScalarAsync(
            second,
            Database.HasSchemas ? "SELECT current_setting('application_name') = 'left'" : "SELECT @left IS NOT NULL"
        );

        Convert.ToBoolean(left, CultureInfo.InvariantCulture).ShouldBe(!reset);
    }

    [Fact]
    public async Task A_statement_ends_after_the_limit_of_the_service()
    {
        await using var service = CreateService("limited", ("Database:CommandTimeout", "00:00:01"));
        await using var db = CreateContextOf(service);

        await Should.ThrowAsync<Exception>(() => ScalarAsync(db, Database.HasSchemas ? "SELECT pg_sleep(60)" : "SELECT SLEEP(60)"));
    }

    [Fact]
    public async Task The_server_says_how_many_connections_it_takes()
    {
        await using var db = CreateContext();

        var limit = await Database.ReadConnectionLimitAsync(db, Cancelled);

        var setting = Database.HasSchemas ? "SHOW max_connections" : "SELECT @@max_connections";
        limit.Max.ShouldBe(Convert.ToInt32(await ScalarAsync(db, setting), CultureInfo.InvariantCulture));
        limit.Reserved.ShouldBeInRange(0, 10);
    }
}
