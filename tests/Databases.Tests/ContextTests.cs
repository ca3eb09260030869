using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

public sealed class ContextTests(ConformanceDatabase database) : ConformanceTest(database)
{
    private static readonly DateTime Time = new(2026, 1, 2, 3, 4, 5, 678, 901, DateTimeKind.Utc);

    [Fact]
    public async Task Names_differ_in_case_and_accent_and_keep_characters_of_four_bytes_and_times_are_UTC_with_microseconds()
    {
        string[] keys = ["ada", "Ada", "adá", "🦊"];
        await using (var db = CreateContext())
        {
            db.AddRange(keys.Select(key => HeavyTask.Submit(key, $"\"{key}\"", 1, Time)));
            await db.SaveChangesAsync(Cancelled);
        }

        await using var look = CreateContext();
        (await look.HeavyTasks.CountAsync(t => t.Kind == "ADA", Cancelled)).ShouldBe(0);
        foreach (var key in keys)
        {
            var task = await look.HeavyTasks.AsNoTracking().SingleAsync(t => t.Kind == key, Cancelled);
            (task.Parameters, task.CreatedAt, task.CreatedAt.Kind).ShouldBe(($"\"{key}\"", Time, DateTimeKind.Utc));
        }
    }

    [Fact]
    public async Task Ids_sort_as_their_text_does_and_are_found_by_lists_and_by_text()
    {
        Guid[] ids = [await AddTaskAsync(), await AddTaskAsync(), await AddTaskAsync()];
        await using var service = CreateService("ids");
        await using var db = CreateContextOf(service);

        var found = await db.HeavyTasks.Where(t => ids.Contains(t.Id)).OrderBy(t => t.Id).Select(t => t.Id).ToListAsync(Cancelled);

        found.ShouldBe(ids.OrderBy(id => id.ToString(), StringComparer.Ordinal));
        var text = ids[1].ToString();
        (await db.HeavyTasks.Where(t => t.Id.ToString() == text).Select(t => t.Id).SingleAsync(Cancelled)).ShouldBe(ids[1]);
    }

    [Fact]
    public async Task The_clock_is_the_servers_UTC_and_counts_fractions_of_a_second()
    {
        await AddTaskAsync();
        await using var db = CreateContext();
        var seconds = 0.25;
        var before = await Database.ReadClockAsync(db, Cancelled);

        var times = await db
            .HeavyTasks.Select(t => new { Now = DatabaseClock.UtcNow(), Later = DatabaseClock.UtcNow().AddSeconds(seconds) })
            .FirstAsync(Cancelled);

        var after = await Database.ReadClockAsync(db, Cancelled);
        times.Now.ShouldBeInRange(before, after);
        (times.Later - times.Now).ShouldBe(TimeSpan.FromSeconds(seconds));
        (before.Kind, times.Now.Kind).ShouldBe((DateTimeKind.Utc, DateTimeKind.Utc));
        Math.Abs((TimeProvider.System.GetUtcNow().UtcDateTime - after).TotalMinutes).ShouldBeLessThan(30);
    }

    [Fact]
    public async Task The_clock_goes_on_within_a_transaction()
    {
        await using var db = CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync(Cancelled);
        var first = await Database.ReadClockAsync(db, Cancelled);

        await Eventually.Async(async () => await Database.ReadClockAsync(db, Cancelled) > first, Soon, "the clock has moved");
    }

    [Fact]
    public async Task Due_tasks_are_locked_oldest_first_and_others_skip_them()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        Guid[] ids = [await AddTaskAsync(), await AddTaskAsync(), await AddTaskAsync(now.AddHours(2))];
        await using (var db = CreateContext())
        {
            await ScheduleAsync(db, ids[0], now.AddDays(-1));
            await ScheduleAsync(db, ids[1], now.AddDays(-2));
        }

        await using var first = CreateContext();
        await using var second = CreateContext();
        await using var one = await first.Database.BeginTransactionAsync(Cancelled);
        await using var two = await second.Database.BeginTransactionAsync(Cancelled);

        (await first.LockDue(1).AsNoTracking().ToListAsync(Cancelled)).ShouldHaveSingleItem().Id.ShouldBe(ids[1]);

        // MySQL may lock more rows than it returns when it sorts a small table. What matters is that nobody waits and no task is taken
        // twice.
        (await second.LockDue(10).AsNoTracking().ToListAsync(Cancelled))
            .Select(t => t.Id)
            .ShouldBeSubsetOf([ids[0]]);
        await one.RollbackAsync(Cancelled);
        (await second.LockDue(10).AsNoTracking().ToListAsync(Cancelled)).Select(t => t.Id).ShouldBe([ids[1], ids[0]]);
        await two.RollbackAsync(Cancelled);
        await using var end = CreateContext();
        await end.HeavyTasks.Where(t => ids.Contains(t.Id)).ExecuteDeleteAsync(Cancelled);

        static Task<int> ScheduleAsync(ConformanceDbContext db, Guid id, DateTime dueAt) =>
            db
                .HeavyTasks.Where(t => t.Id == id)
                .ExecuteUpdateAsync(
                    set => set.SetProperty(t => t.Status, HeavyTaskStatus.Scheduled).SetProperty(t => t.DueAt, dueAt),
                    Cancelled
                );
    }

    [Fact]
    public async Task Running_tasks_of_an_owner_are_locked_by_owner_and_by_fence()
    {
        var fence = await AddRunningTaskAsync();
        await using var first = CreateContext();
        await using var second = CreateContext();
        await using var one = await first.Database.BeginTransactionAsync(Cancelled);
        await using var two = await second.Database.BeginTransactionAsync(Cancelled);

        (await first.LockOwned(fence with { Attempt = 2 }).AsNoTracking().ToListAsync(Cancelled)).ShouldBeEmpty();
        (await first.LockOwned(fence).AsNoTracking().ToListAsync(Cancelled)).ShouldHaveSingleItem().Id.ShouldBe(fence.TaskId);
        (await second.LockOwnedBy(fence.Owner, 10).AsNoTracking().ToListAsync(Cancelled)).ShouldBeEmpty();
        await one.RollbackAsync(Cancelled);
        (await second.LockOwnedBy(fence.Owner, 10).AsNoTracking().ToListAsync(Cancelled)).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_service_reads_what_is_committed_and_does_not_lock_gaps(bool transaction)
    {
        await using var service = CreateService($"isolation-{transaction}");
        await using var db = CreateContextOf(service);
        await db.Database.OpenConnectionAsync(Cancelled);
        await using var begun = transaction ? await db.Database.BeginTransactionAsync(Cancelled) : null;
        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = begun?.GetDbTransaction();
        command.CommandText = Database.HasSchemas
            ? "SELECT 'x', current_setting('transaction_isolation')"
            : "SHOW SESSION VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')";
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        (await reader.ReadAsync(Cancelled)).ShouldBeTrue();

        reader.GetString(1).Replace(' ', '-').ToUpperInvariant().ShouldBe("READ-COMMITTED");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task One_batch_of_inserts_is_all_or_nothing(int tasks)
    {
        await using var service = CreateService($"batch-{tasks}", ("Database:MaxPoolSize", "1"), ("Database:ResetSessions", "false"));
        var taken = await SaveAsync(NewKey(), tasks);

        var refused = await Should.ThrowAsync<DbUpdateException>(() => SaveAsync(taken, tasks));

        Database.IsDuplicateKey(refused).ShouldBeTrue();
        await using var look = CreateContext();
        (await look.HeavyTasks.CountAsync(t => t.Parameters == $"\"{taken}\"", Cancelled)).ShouldBe(tasks);

        // If the session had left a transaction open, nobody else would see this row.
        var key = NewKey();
        await using var same = CreateContextOf(service);
        await same.Database.ExecuteSqlRawAsync(InsertThing, [key], Cancelled);
        (await look.Things.CountAsync(t => t.Key == key, Cancelled)).ShouldBe(1);

        async Task<string> SaveAsync(string key, int count)
        {
            await using var db = CreateContextOf(service);
            db.AddRange(
                Enumerable
                    .Range(0, count)
                    .Select(n => HeavyTask.Submit("batch", $"\"{key}\"", 1, Time, idempotencyKey: $"{key}-{n}", requestHash: []))
            );
            db.Database.AutoTransactionBehavior = Database.OneBatchOfInserts;
            await db.SaveChangesAsync(Cancelled);
            return key;
        }
    }

    [Fact]
    public async Task A_transaction_that_stands_idle_is_ended_by_the_server_and_its_locks_with_it()
    {
        // MySQL itself has no such setting; docs/mysql.md describes the consequences.
        Assert.SkipUnless(await HasIdleLimitAsync(), "This server does not end idle transactions.");
        var fence = await AddRunningTaskAsync();
        await using var service = CreateService("idle", ("Database:IdleInTransactionTimeout", "00:00:01"));
        await using var frozen = CreateContextOf(service);
        await using var transaction = await frozen.Database.BeginTransactionAsync(Cancelled);
        (await frozen.LockOwned(fence).AsNoTracking().ToListAsync(Cancelled)).ShouldHaveSingleItem();
        await using var db = CreateContext();

        var waited = await db
            .HeavyTasks.Where(t => t.Id == fence.TaskId)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.Crashes, 1), Cancelled)
            .WaitAsync(Soon, Cancelled);

        waited.ShouldBe(1);
    }

    [Fact]
    public void Tables_are_where_the_application_wants_them()
    {
        using var db = CreateContext();

        EngineTables.Of(db).Tasks.ShouldBe(Database.HasSchemas ? "\"Engine\".engine_heavy_tasks" : "`engine_heavy_tasks`");
    }

    private async Task<bool> HasIdleLimitAsync()
    {
        await using var db = CreateContext();
        return Database.HasSchemas
            || ((string)(await ScalarAsync(db, "SELECT version()"))!).Contains("MariaDB", StringComparison.OrdinalIgnoreCase);
    }
}
