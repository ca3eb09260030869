using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

public sealed class SessionLockTests(ConformanceDatabase database) : ConformanceTest(database)
{
    [Fact]
    public async Task The_lock_of_an_instance_is_one_sessions_until_that_ends()
    {
        var instance = Guid.CreateVersion7();
        await using var second = await OpenAsync();
        await using (var first = await OpenAsync())
        {
            (await Database.TryLockAsync(first, instance, Cancelled)).ShouldBeTrue();
            (await Database.TryLockAsync(second, instance, Cancelled)).ShouldBeFalse();
            (await Database.TryLockAsync(second, Guid.CreateVersion7(), Cancelled)).ShouldBeTrue();
        }

        await Eventually.Async(async () => await Database.TryLockAsync(second, instance, Cancelled), Soon, "the lock is free again");
    }

    [Fact]
    public async Task A_session_can_prove_that_it_holds_a_lock()
    {
        var instance = Guid.CreateVersion7();
        await using var holder = await OpenAsync();
        await using var other = await OpenAsync();
        await Database.TryLockAsync(holder, instance, Cancelled);

        (await Database.HoldsLockAsync(holder, instance, Cancelled)).ShouldBeTrue();
        (await Database.HoldsLockAsync(other, instance, Cancelled)).ShouldBeFalse();
        (await Database.HoldsLockAsync(holder, Guid.CreateVersion7(), Cancelled)).ShouldBeFalse();

        await FreeLocksAsync(holder);
        (await Database.HoldsLockAsync(holder, instance, Cancelled)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sessions_that_lock_running_tasks_of_an_owner_are_ended_and_no_others(bool idle)
    {
        var (task, others) = (await AddRunningTaskAsync(), await AddRunningTaskAsync());
        var owner = task.Owner;
        var frozen = CreateContext();
        await using var living = CreateContext();
        _ = await frozen.Database.BeginTransactionAsync(Cancelled);
        await using var livingTransaction = await living.Database.BeginTransactionAsync(Cancelled);
        (await frozen.LockOwned(task).CountAsync(Cancelled)).ShouldBe(1);
        (await living.LockOwned(others).CountAsync(Cancelled)).ShouldBe(1);
        var sleeping = idle ? Task.CompletedTask : frozen.Database.ExecuteSqlRawAsync(Sleep);
        await using var db = CreateContext();
        await using var second = CreateContext();

        (await Database.EndSessionsThatLockAsync(db, second, owner, Cancelled)).ShouldBe(1);

        await Eventually.Async(
            async () => await db.LockOwnedBy(owner, 10).AsNoTracking().CountAsync(Cancelled) == 1,
            Soon,
            "the task is not locked any more"
        );
        await livingTransaction.CommitAsync(Cancelled);
        await Task.WhenAny(sleeping);
        (await Database.EndSessionsThatLockAsync(db, second, owner, Cancelled)).ShouldBe(0);
    }

    [Fact]
    public async Task Locks_are_looked_for_without_being_acquired()
    {
        Guid[] instances = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        await using var holder = await OpenAsync();
        await Database.TryLockAsync(holder, instances[1], Cancelled);
        await using var db = CreateContext();

        var free = await Database.FindUnlockedAsync(db, instances, Cancelled);

        free.ShouldBe([instances[0], instances[2]], ignoreOrder: true);
        await using var other = await OpenAsync();
        (await Database.TryLockAsync(other, instances[0], Cancelled)).ShouldBeTrue();
        (await Database.FindUnlockedAsync(db, [], Cancelled)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_lock_is_free_when_the_server_ends_the_session_of_a_process_that_stands_still()
    {
        var instance = Guid.CreateVersion7();
        await using var db = CreateContext();
        await using var frozen = await OpenAsync("frozen-liveness");
        await Database.TryLockAsync(frozen, instance, Cancelled);

        await Server.EndConnectionsAsync("frozen-liveness");

        await Eventually.Async(
            async () => (await Database.FindUnlockedAsync(db, [instance], Cancelled)).Contains(instance),
            Soon,
            "the lock is free"
        );
    }

    [Fact]
    public async Task Locks_of_another_database_are_none_of_this_one()
    {
        var instance = Guid.CreateVersion7();
        await using var elsewhere = await TestDatabase.CreateAsync();
        await using var holder = Database.CreateUnpooledConnection(elsewhere.ConnectionString, "elsewhere", TimeSpan.FromSeconds(5));
        await holder.OpenAsync(Cancelled);
        await Database.TryLockAsync(holder, instance, Cancelled);
        await using var db = CreateContext();

        (await Database.FindUnlockedAsync(db, [instance], Cancelled)).ShouldBe([instance]);
    }

    [Fact]
    public async Task Migrations_wait_for_each_other_and_not_for_those_of_another_database()
    {
        await using var elsewhere = await TestDatabase.CreateAsync();
        await using var first = await OpenAsync();
        await Database.LockMigrationsAsync(first, Cancelled);
        await using var other = Database.CreateUnpooledConnection(elsewhere.ConnectionString, null, null);
        await other.OpenAsync(Cancelled);
        await Database.LockMigrationsAsync(other, Cancelled).WaitAsync(Soon, Cancelled);
        await using var second = await OpenAsync();

        var waiting = Database.LockMigrationsAsync(second, Cancelled);
        await Task.WhenAny(waiting, WaitUntilServerSeesWaitAsync());
        waiting.IsCompleted.ShouldBeFalse();
        await first.DisposeAsync();

        await waiting.WaitAsync(Soon, Cancelled);
    }

    [Fact]
    public async Task The_server_says_whether_a_statement_runs_on_a_session_and_for_how_long_none_has()
    {
        await using var asking = await OpenAsync();
        await using var idle = await OpenAsync();
        await using var busy = await OpenAsync();
        await using var sleep = busy.CreateCommand();
        sleep.CommandText = Database.HasSchemas ? "SELECT pg_sleep(20)" : "SELECT SLEEP(20)";
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = sleep.ExecuteScalarAsync(end.Token);
        long[] sessions = [Database.SessionOf(idle), Database.SessionOf(busy), int.MaxValue];

        await Eventually.Async(
            async () =>
            {
                var found = await Database.ReadIdleSessionsAsync(asking, sessions, Cancelled);
                found.Keys.ShouldBe(sessions[..2], ignoreOrder: true);
                return found[sessions[0]] >= TimeSpan.FromSeconds(1) && found[sessions[1]] is null;
            },
            Soon,
            "one has been idle for a second and the other works"
        );

        await end.CancelAsync();
        await Task.WhenAny(running);
    }

    private static string Sleep => Database.HasSchemas ? "SELECT pg_sleep(60)" : "SELECT SLEEP(60)";

    private static async Task FreeLocksAsync(DbConnection connection)
    {
        await using var free = connection.CreateCommand();
        free.CommandText = Database.HasSchemas ? "SELECT pg_advisory_unlock_all()" : "SELECT RELEASE_ALL_LOCKS()";
        await free.ExecuteNonQueryAsync(Cancelled);
    }

    // MySQL shows no wait for such a lock in a table of waits, but the waiting session has a state of its own.
    private Task WaitUntilServerSeesWaitAsync() =>
        Eventually.Async(
            async () =>
                Convert.ToInt64(
                    await Server.ScalarAsync(
                        Database.HasSchemas
                            ? "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
                            : "SELECT count(*) FROM information_schema.processlist WHERE db = database() AND state LIKE '%ser lock%'"
                    ),
                    System.Globalization.CultureInfo.InvariantCulture
                ) == 1,
            Soon,
            "the second waits"
        );

    private async Task<DbConnection> OpenAsync(string name = "locks")
    {
        var connection = Database.CreateUnpooledConnection(Server.ConnectionString, name, TimeSpan.FromSeconds(30));
        await connection.OpenAsync(Cancelled);
        return connection;
    }
}
