using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

public sealed class CompletionTests(ConformanceDatabase database) : ConformanceTest(database)
{
    private static HeavyTaskSuccess Success =>
        new(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc), """{"rows":1}""", Guid.CreateVersion7(), 10, 20, "done");

    [Fact]
    public async Task Success_and_the_tracked_changes_are_saved_together()
    {
        var fence = await AddRunningTaskAsync();
        var (key, changed, success) = (NewKey(), await AddThingAsync(), Success);
        await using (var db = CreateContext())
        {
            db.Add(new Thing { Key = key });
            (await db.Things.SingleAsync(t => t.Key == changed, Cancelled)).Name = "changed";

            await Database.CompleteAsync(db, fence, success, TimeProvider.System, Cancelled);
        }

        await using var look = CreateContext();
        (await look.Things.CountAsync(t => t.Key == key || t.Name == "changed" && t.Key == changed, Cancelled)).ShouldBe(2);
        var task = await ReadAsync(fence.TaskId);
        (task.Status, task.Owner, task.Attempt).ShouldBe((HeavyTaskStatus.Succeeded, null, 1));
        (task.FinishedAt, task.Result, task.ResultFileId).ShouldBe((success.FinishedAt, success.Result, success.ResultFileId));
        (task.ProgressDone, task.ProgressTotal, task.ProgressText).ShouldBe((10, 20, "done"));
        var attempt = await look.HeavyTaskAttempts.SingleAsync(a => a.TaskId == fence.TaskId, Cancelled);
        (attempt.Outcome, attempt.EndedAt).ShouldBe((AttemptOutcome.Succeeded, success.FinishedAt));
    }

    public static TheoryData<string> Losses => ["another owner", "another attempt", "another status", "no task"];

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task Without_the_task_nothing_is_saved(string loss)
    {
        var fence = await AddRunningTaskAsync();
        await using (var other = CreateContext())
        {
            var thief = Guid.NewGuid();
            var task = other.HeavyTasks.Where(t => t.Id == fence.TaskId);
            _ = loss switch
            {
                "another owner" => await task.ExecuteUpdateAsync(set => set.SetProperty(t => t.Owner, thief), Cancelled),
                "another attempt" => await task.ExecuteUpdateAsync(set => set.SetProperty(t => t.Attempt, 2), Cancelled),
                "another status" => await task.ExecuteUpdateAsync(
                    set => set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled),
                    Cancelled
                ),
                _ => await task.ExecuteDeleteAsync(Cancelled),
            };
        }

        var (few, several) = (NewKey(), NewKey());
        foreach (var keys in new string[][] { [few], [several, .. Enumerable.Range(0, 2_000).Select(_ => NewKey())] })
        {
            await using var db = CreateContext();
            db.AddRange(keys.Select(key => new Thing { Key = key }));

            await Should.ThrowAsync<HeavyTaskFenceException>(Database.CompleteAsync(db, fence, Success, TimeProvider.System, Cancelled));
        }

        await using var look = CreateContext();
        (await look.Things.CountAsync(t => t.Key == few || t.Key == several, Cancelled)).ShouldBe(0);
        (await look.HeavyTaskAttempts.CountAsync(a => a.TaskId == fence.TaskId && a.Outcome != null, Cancelled)).ShouldBe(0);
    }

    [Fact]
    public async Task What_the_server_refuses_is_told_as_it_is_and_the_task_goes_on()
    {
        var fence = await AddRunningTaskAsync();
        var key = await AddThingAsync();
        await using var db = CreateContext();
        db.Add(new Thing { Key = key });

        var refused = await Should.ThrowAsync<DbUpdateException>(
            Database.CompleteAsync(db, fence, Success, TimeProvider.System, Cancelled)
        );

        Database.IsDuplicateKey(refused).ShouldBeTrue();
        (await ReadAsync(fence.TaskId)).Status.ShouldBe(HeavyTaskStatus.Running);
    }

    [Fact]
    public async Task A_completion_that_meets_a_deadlock_is_saved_all_the_same()
    {
        var fence = await AddRunningTaskAsync();
        var (wanted, added) = (await AddThingAsync(), NewKey());
        await using var other = await Server.OpenAsync(pooled: false);
        await using var transaction = await other.BeginTransactionAsync(System.Data.IsolationLevel.ReadCommitted, Cancelled);

        // MySQL ends the transaction that changed fewer rows; PostgreSQL ends the one that began to wait first.
        foreach (var _ in Enumerable.Range(0, 100))
        {
            await ExecuteAsync($"INSERT INTO things (thing_key, name) VALUES ('{NewKey()}', 'many')");
        }

        await ExecuteAsync($"UPDATE things SET name = 'theirs' WHERE thing_key = '{wanted}'");
        await using var db = CreateContext();
        (await db.Things.SingleAsync(t => t.Key == wanted, Cancelled)).Name = "ours";
        db.Add(new Thing { Key = added });

        var completion = Database.CompleteAsync(db, fence, Success, TimeProvider.System, Cancelled);
        await Eventually.Async(async () => await Server.LockWaitsAsync() > 0, Soon, "the completion waits for the thing");
        await ExecuteAsync($"UPDATE {EngineTables.Of(db).Tasks} SET crashes = crashes");
        await transaction.CommitAsync(Cancelled);
        await completion;

        (await ReadAsync(fence.TaskId)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        await using var look = CreateContext();
        (await look.Things.SingleAsync(t => t.Key == wanted, Cancelled)).Name.ShouldBe("ours");
        (await look.Things.CountAsync(t => t.Key == added, Cancelled)).ShouldBe(1);

        async Task ExecuteAsync(string sql)
        {
            await using var command = other.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync(Cancelled);
        }
    }

    private async Task<string> AddThingAsync()
    {
        await using var db = CreateContext();
        var thing = db.Add(new Thing { Key = NewKey() }).Entity;
        await db.SaveChangesAsync(Cancelled);
        return thing.Key;
    }
}
