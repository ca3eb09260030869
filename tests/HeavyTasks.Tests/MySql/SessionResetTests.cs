using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using MySqlConnector;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests what one user of a pooled connection leaves behind in its session.</summary>
public sealed class SessionResetTests : WorkerTest
{
    [Fact]
    public async Task A_reset_session_has_nothing_of_its_last_user_and_is_set_up_again()
    {
        await using var service = Service(resetSessions: true);

        var (session, next) = await UseTwiceAsync(service);

        next.Session.ShouldBe(session);
        next.Variable.ShouldBeNull();
        next.LockIsFree.ShouldBeTrue();
        next.Isolation.ShouldBe("READ-COMMITTED");
    }

    [Fact]
    public async Task A_session_that_is_not_reset_keeps_all_of_it()
    {
        await using var service = Service(resetSessions: false);

        var (session, next) = await UseTwiceAsync(service);

        next.Session.ShouldBe(session);
        next.Variable.ShouldBe("left behind");
        next.LockIsFree.ShouldBeFalse();
        next.Isolation.ShouldBe("READ-COMMITTED");
    }

    [Fact]
    public async Task A_server_with_the_same_defaults_is_asked_for_them_once_a_minute()
    {
        await using var server = await PrivateDatabase.CreateAsync(
            "transaction_isolation=READ-COMMITTED",
            "loose_idle_transaction_timeout=15"
        );
        var time = new ShiftedTime();
        await using var service = Service(resetSessions: true, server.ConnectionString, time);
        var pool = service.GetRequiredService<MySqlDataSource>();
        (await IsolationAsync(pool)).ShouldBe("READ-COMMITTED");

        await ExecuteAsync(server, "SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE");

        (await IsolationAsync(pool)).ShouldBe("SERIALIZABLE", "the session is not told anything within the minute");
        time.Forward(TimeSpan.FromMinutes(1));
        (await IsolationAsync(pool)).ShouldBe("READ-COMMITTED");
        (await IsolationAsync(pool)).ShouldBe("READ-COMMITTED");
    }

    private static async Task<string> IsolationAsync(MySqlDataSource pool)
    {
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new MySqlCommand(
            "SHOW SESSION VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync();
        (await reader.ReadAsync()).ShouldBeTrue();
        return reader.GetString(1);
    }

    private static async Task ExecuteAsync(PrivateDatabase server, string sql)
    {
        await using var db = server.CreateContext();
        await db.Database.ExecuteSqlRawAsync(sql);
    }

    private ServiceProvider Service(bool resetSessions, string? connectionString = null, TimeProvider? time = null) =>
        new ServiceCollection()
            .AddLogging()
            .AddSingleton(time ?? TimeProvider.System)
            .AddSingleton<IConfiguration>(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        new Dictionary<string, string?>
                        {
                            ["ConnectionStrings:Platform"] = connectionString ?? Database.ConnectionString,
                            ["Database:MaxPoolSize"] = "1",
                            ["Database:ResetSessions"] = $"{resetSessions}",
                        }
                    )
                    .Build()
            )
            .AddPlatformDatabase("platform-reset-tests")
            .BuildServiceProvider();

    private static async Task<(ulong Session, Left Next)> UseTwiceAsync(ServiceProvider service)
    {
        var pool = service.GetRequiredService<MySqlDataSource>();
        ulong session;
        await using (var first = await pool.OpenConnectionAsync())
        {
            await using var leave = new MySqlCommand(
                "SET @variable = 'left behind'; SELECT connection_id(), get_lock(concat(database(), '.left'), 0)",
                first
            );
            await using var reader = await leave.ExecuteReaderAsync();
            (await reader.ReadAsync()).ShouldBeTrue();
            session = reader.GetUInt64(0);
        }

        await using var next = await pool.OpenConnectionAsync();
        await using var look = new MySqlCommand(
            "SELECT connection_id(), @variable, is_free_lock(concat(database(), '.left')); "
                + "SHOW SESSION VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')",
            next
        );
        await using var left = await look.ExecuteReaderAsync();
        (await left.ReadAsync()).ShouldBeTrue();
        var (id, variable, isFree) = (left.GetUInt64(0), left.IsDBNull(1) ? null : left.GetString(1), left.GetInt32(2) == 1);
        (await left.NextResultAsync()).ShouldBeTrue();
        (await left.ReadAsync()).ShouldBeTrue();
        return (session, new Left(id, variable, isFree, left.GetString(1)));
    }

    private sealed record Left(ulong Session, string? Variable, bool LockIsFree, string Isolation);
}
