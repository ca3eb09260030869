using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>What can go wrong at a database server while it runs.</summary>
internal static class DatabaseFaults
{
    /// <summary>Few connections, so that they can run out.</summary>
    public static string[] ServerSettings => ["max_connections=100"];

    /// <summary>Allows services what MySQL loads in bulk with; PostgreSQL needs nothing.</summary>
    public static string WithBulkLoads(string connectionString) =>
        Dialect.Current.HasSchemas ? connectionString : $"{connectionString};AllowLoadLocalInfile=true";

    /// <summary>Ends the sessions of services whose name at the server matches.</summary>
    public static async Task EndSessionsAsync(FaultSystem system, string namePattern)
    {
        await using var db = system.CreateContext();
        await EndSessionsAsync(db, namePattern);
    }

    private static async Task EndSessionsAsync(DbContext db, string namePattern)
    {
        if (Dialect.Current.HasSchemas)
        {
            await db.Database.ExecuteSqlAsync(
                $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE {namePattern} AND pid <> pg_backend_pid()"
            );
            return;
        }

        var sessions = await db
            .Database.SqlQuery<long>(
                $"""
                SELECT CAST(t.processlist_id AS SIGNED) AS Value FROM performance_schema.threads t
                JOIN performance_schema.session_connect_attrs a ON a.processlist_id = t.processlist_id AND a.attr_name = 'program_name'
                WHERE a.attr_value LIKE {namePattern} AND t.processlist_id <> CONNECTION_ID()
                """
            )
            .ToListAsync();
        foreach (var session in sessions)
        {
            try
            {
                await db.Database.ExecuteSqlAsync($"KILL {session}");
            }
            catch (DbException)
            {
                // It has ended meanwhile.
            }
        }
    }

    /// <summary>Looks, again and again without a pause, whether a session is in the middle of a bulk load.</summary>
    public static async Task<bool> IsLoadingAsync(DbContext db, TimeSpan patience)
    {
        await db.Database.OpenConnectionAsync();
        var start = TimeProvider.System.GetTimestamp();
        do
        {
            var loads = Dialect.Current.HasSchemas
                ? db.Database.SqlQuery<long>(
                    $"SELECT count(*) AS \"Value\" FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%'"
                )
                : db.Database.SqlQuery<long>($"SELECT count(*) AS Value FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'");
            if (await loads.SingleAsync() > 0)
            {
                return true;
            }
        } while (TimeProvider.System.GetElapsedTime(start) < patience);

        return false;
    }

    /// <summary>Holds a lock on all rows that exist in the tasks table.</summary>
    public static async Task LockTasksAsync(FaultSystem system, TimeSpan time)
    {
        await using var db = system.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await db.Database.ExecuteSqlRawAsync(
            Dialect.Current.HasSchemas
                ? "LOCK TABLE heavy_tasks IN SHARE ROW EXCLUSIVE MODE"
                : "SELECT count(*) FROM heavy_tasks WHERE status IN ('Queued', 'Running', 'Scheduled') FOR UPDATE"
        );
        await Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
        await transaction.RollbackAsync();
    }

    /// <summary>Sets the server's own limit for statements, or removes it (zero), for all sessions.</summary>
    public static async Task LimitStatementsAsync(FaultSystem system, TimeSpan limit)
    {
        // The limit holds for this session, too, when it is to be removed.
        await Eventually.Async(
            async () =>
            {
                await using var db = system.CreateContext();
                await db.Database.OpenConnectionAsync();
                await db.Database.ExecuteSqlRawAsync(await LimitAsync(db, limit));
                await EndSessionsAsync(db, "platform-fault-%");
                return true;
            },
            TimeSpan.FromSeconds(30),
            "the limit is set"
        );
    }

    // MySQL limits only what reads.
    private static async Task<string> LimitAsync(DbContext db, TimeSpan limit)
    {
        if (Dialect.Current.HasSchemas)
        {
            return FormattableString.Invariant($"ALTER DATABASE platform SET statement_timeout = {limit.TotalMilliseconds:0}");
        }

        var version = await db.Database.SqlQueryRaw<string>("SELECT VERSION() AS Value").SingleAsync();
        return version.Contains("MariaDB", StringComparison.Ordinal)
            ? FormattableString.Invariant($"SET GLOBAL max_statement_time = {limit.TotalSeconds:0.000}")
            : FormattableString.Invariant($"SET GLOBAL max_execution_time = {limit.TotalMilliseconds:0}");
    }

    /// <summary>Takes every connection that the server has left.</summary>
    public static async Task TakeConnectionsAsync(FaultSystem system, TimeSpan time)
    {
        var taken = new List<DbConnection>();
        try
        {
            while (taken.Count < 200)
            {
                var connection = Dialect.Current.CreateUnpooledConnection(
                    system.Database.ConnectionString,
                    "greedy",
                    TimeSpan.FromSeconds(5)
                );
                taken.Add(connection);
                await connection.OpenAsync();
            }
        }
        catch (DbException)
        {
            // None is left.
        }

        await Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
        foreach (var connection in taken)
        {
            await connection.DisposeAsync();
        }
    }
}
