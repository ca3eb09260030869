using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.Support;

namespace Platform.Faults.Tests;

public sealed class StandbyTests
{
    [Fact(Explicit = true)]
    public async Task A_standby_may_take_the_place_of_the_database()
    {
        var primary = await PrivateDatabase.CreateAsync(DatabaseFaults.ServerSettings);
        await using var standby = await primary.FollowAsync();
        await ExecuteAsync(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
        await ExecuteAsync(primary, "SELECT pg_reload_conf()");
        await Disaster.SurviveAsync(
            primary,
            await PrivateBroker.CreateAsync(),
            async system =>
            {
                await primary.KillAsync();
                await Disaster.WaitAsync(TimeSpan.FromSeconds(2));
                await ExecuteAsync(standby, "SELECT pg_promote()");
                await Disaster.AcceptAsync(system, 300);
            },
            new Dictionary<string, string> { ["ConnectionStrings__Platform"] = BothOf(primary, standby) }
        );
    }

    private static string BothOf(PrivateDatabase primary, PrivateDatabase standby)
    {
        var builder = new NpgsqlConnectionStringBuilder(primary.ConnectionString);
        builder.Host = $"{builder.Host}:{builder.Port},127.0.0.1:{new NpgsqlConnectionStringBuilder(standby.ConnectionString).Port}";
        builder.TargetSessionAttributes = "primary";
        return builder.ConnectionString;
    }

    private static async Task ExecuteAsync(PrivateDatabase server, string sql)
    {
        await using var db = server.CreateContext();
        await db.Database.ExecuteSqlRawAsync(sql);
    }
}
