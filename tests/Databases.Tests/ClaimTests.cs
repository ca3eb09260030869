using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

public sealed class ClaimTests(ConformanceDatabase database) : ConformanceTest(database)
{
    private static readonly Guid Owner = Guid.CreateVersion7();

    [Fact]
    public async Task A_queued_task_runs_then_with_the_record_of_its_attempt_at_the_databases_time()
    {
        var id = await AddTaskAsync();
        await using var db = CreateContext();

        var claimed = (await Database.ClaimAsync(db, id, Owner, "test:1", Cancelled)).ShouldNotBeNull();

        var now = await Database.ReadClockAsync(db, Cancelled);
        var task = await ReadAsync(id);
        (task.Status, task.Owner, task.Attempt, task.DueAt).ShouldBe((HeavyTaskStatus.Running, Owner, 1, null));
        (now - task.StartedAt!.Value).ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(30));
        (claimed.Id, claimed.Kind, claimed.Parameters, claimed.Attempt, claimed.StartedAt).ShouldBe(
            (id, "test.kind", "{}", 1, task.StartedAt.Value)
        );
        (claimed.Failures, claimed.MaxFailures, claimed.Checkpoint, claimed.ProgressDone, claimed.QueuedAt).ShouldBe(
            (task.Failures, task.MaxFailures, task.Checkpoint, task.ProgressDone, task.QueuedAt)
        );
        var attempt = await db.HeavyTaskAttempts.AsNoTracking().SingleAsync(a => a.TaskId == id, Cancelled);
        (attempt.Attempt, attempt.Owner, attempt.Worker, attempt.StartedAt, attempt.Outcome).ShouldBe(
            (1, Owner, "test:1", task.StartedAt.Value, null)
        );
    }

    [Fact]
    public async Task What_is_not_queued_is_not_claimed_alone_or_among_others()
    {
        var running = await AddRunningTaskAsync();
        var scheduled = await AddTaskAsync(TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1));
        var queued = await AddTaskAsync();
        await using var db = CreateContext();

        (await Database.ClaimAsync(db, running.TaskId, Owner, "test:1", Cancelled)).ShouldBeNull();
        (await Database.ClaimAsync(db, scheduled, Owner, "test:1", Cancelled)).ShouldBeNull();
        (await Database.ClaimAsync(db, Guid.CreateVersion7(), Owner, "test:1", Cancelled)).ShouldBeNull();
        var claimed = await Database.ClaimAsync(db, [running.TaskId, scheduled, queued, Guid.NewGuid()], Owner, "test:1", Cancelled);

        claimed.ShouldHaveSingleItem().Id.ShouldBe(queued);
        (await ReadAsync(running.TaskId)).Owner.ShouldBe(running.Owner);
        (await ReadAsync(scheduled)).Status.ShouldBe(HeavyTaskStatus.Scheduled);
        (await db.HeavyTaskAttempts.CountAsync(a => a.TaskId == running.TaskId, Cancelled)).ShouldBe(1);
    }

    [Fact]
    public async Task Several_skip_what_is_locked_and_one_waits_for_it()
    {
        Guid[] ids = [await AddTaskAsync(), await AddTaskAsync()];
        await using var holder = CreateContext();
        await using var transaction = await holder.Database.BeginTransactionAsync(Cancelled);
        await holder.HeavyTasks.Where(t => t.Id == ids[0]).ExecuteUpdateAsync(set => set.SetProperty(t => t.Crashes, 3), Cancelled);
        await using var several = CreateContext();
        await using var one = CreateContext();

        (await Database.ClaimAsync(several, ids, Owner, "test:1", Cancelled)).ShouldHaveSingleItem().Id.ShouldBe(ids[1]);
        var waiting = Database.ClaimAsync(one, ids[0], Owner, "test:1", Cancelled);
        await Eventually.Async(async () => await Server.LockWaitsAsync() == 1, Soon, "the claim waits");
        await transaction.CommitAsync(Cancelled);

        (await waiting).ShouldNotBeNull().Id.ShouldBe(ids[0]);
    }

    [Fact]
    public async Task A_claim_that_waited_for_a_cancellation_gets_nothing()
    {
        var id = await AddTaskAsync();
        await using var holder = CreateContext();
        await using var transaction = await holder.Database.BeginTransactionAsync(Cancelled);
        await holder
            .HeavyTasks.Where(t => t.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled), Cancelled);
        await using var db = CreateContext();

        var waiting = Database.ClaimAsync(db, id, Owner, "test:1", Cancelled);
        await Eventually.Async(async () => await Server.LockWaitsAsync() == 1, Soon, "the claim waits");
        await transaction.CommitAsync(Cancelled);

        (await waiting).ShouldBeNull();
        (await db.HeavyTaskAttempts.CountAsync(a => a.TaskId == id, Cancelled)).ShouldBe(0);
    }

    [Fact]
    public async Task Of_two_claims_at_once_one_wins()
    {
        foreach (var _ in Enumerable.Range(0, 20))
        {
            var id = await AddTaskAsync();
            var claimed = await Task.WhenAll(Enumerable.Range(0, 4).Select(n => ClaimAsync(id, alone: n % 2 == 0)));

            claimed.Count(won => won).ShouldBe(1);
            await using var db = CreateContext();
            (await db.HeavyTaskAttempts.CountAsync(a => a.TaskId == id, Cancelled)).ShouldBe(1);
        }

        async Task<bool> ClaimAsync(Guid id, bool alone)
        {
            await using var db = CreateContext();
            return alone
                ? await Database.ClaimAsync(db, id, Guid.NewGuid(), "test:1", Cancelled) is not null
                : await Database.ClaimAsync(db, [id], Guid.NewGuid(), "test:1", Cancelled) is [_];
        }
    }

    [Fact]
    public async Task A_claim_that_fails_changes_nothing_and_leaves_no_transaction_in_its_session()
    {
        var id = await AddTaskAsync();
        await using var one = CreateService("claims", ("Database:MaxPoolSize", "1"), ("Database:ResetSessions", "false"));
        await using (var db = CreateContext())
        {
            // This is the record of the attempt that the claim is about to write.
            db.Add(
                new HeavyTaskAttempt
                {
                    TaskId = id,
                    Attempt = 1,
                    StartedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
                }
            );
            await db.SaveChangesAsync(Cancelled);
        }

        await Should.ThrowAsync<System.Data.Common.DbException>(() => ClaimAsync());

        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
        await using (var same = CreateContextOf(one))
        {
            var key = NewKey();
            await same.Database.ExecuteSqlRawAsync(InsertThing, [key], Cancelled);
            await using var other = CreateContext();
            (await other.Things.CountAsync(t => t.Key == key, Cancelled)).ShouldBe(1);
            await other.HeavyTaskAttempts.Where(a => a.TaskId == id).ExecuteDeleteAsync(Cancelled);
        }

        (await ClaimAsync()).ShouldNotBeNull();

        async Task<ClaimedHeavyTask?> ClaimAsync()
        {
            await using var db = CreateContextOf(one);
            return await Database.ClaimAsync(db, id, Owner, "test:1", Cancelled);
        }
    }
}
