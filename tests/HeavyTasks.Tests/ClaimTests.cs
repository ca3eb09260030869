using Microsoft.EntityFrameworkCore;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

public sealed class ClaimTests : WorkerTest
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_claim_that_waits_for_its_task_keeps_no_other_claim_waiting()
    {
        Guid[] ids = [await InsertAsync(), await InsertAsync()];
        var claims = new HeavyTaskClaims(new InstanceIdentity("test"));
        await using var holder = Database.CreateContext();
        await using var transaction = await holder.Database.BeginTransactionAsync(Cancelled);
        await holder.HeavyTasks.Where(t => t.Id == ids[0]).ExecuteUpdateAsync(set => set.SetProperty(t => t.MaxFailures, 7), Cancelled);
        await using var first = Database.CreateContext();
        await using var second = Database.CreateContext();

        var locked = claims.ClaimAsync(first, ids[0]);
        var other = await claims.ClaimAsync(second, ids[1]).WaitAsync(TimeSpan.FromSeconds(20), Cancelled);

        other.ShouldNotBeNull().Id.ShouldBe(ids[1]);
        locked.IsCompleted.ShouldBeFalse();
        await transaction.CommitAsync(Cancelled);
        (await locked).ShouldNotBeNull().MaxFailures.ShouldBe(7);
    }

    [Fact]
    public async Task Of_claims_that_are_made_together_each_learns_of_its_own_task()
    {
        Guid[] ids = [.. await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => InsertAsync()))];
        var claims = new HeavyTaskClaims(new InstanceIdentity("test"));

        // Every task is claimed twice, all at the same time.
        var claimed = await Task.WhenAll(ids.Concat(ids).Select(ClaimAsync));

        claimed.OfType<ClaimedHeavyTask>().Select(task => task.Id).ShouldBe(ids, ignoreOrder: true);
        claimed.Zip(ids.Concat(ids)).Where(pair => pair.First is not null).ShouldAllBe(pair => pair.First!.Id == pair.Second);
        (await Database.CountAsync("heavy_task_attempts")).ShouldBe(ids.Length);

        async Task<ClaimedHeavyTask?> ClaimAsync(Guid id)
        {
            await using var db = Database.CreateContext();
            return await claims.ClaimAsync(db, id);
        }
    }

    [Fact]
    public async Task A_claim_that_fails_fails_for_all_it_was_made_with_and_for_nobody_after_them()
    {
        Guid[] ids = [await InsertAsync(), await InsertAsync(), await InsertAsync()];
        var claims = new HeavyTaskClaims(new InstanceIdentity("test"));
        await using var unreachable = PlatformDatabase.CreateContext($"{Database.ConnectionString};Port=1");
        await using var first = Database.CreateContext();
        await using var third = Database.CreateContext();
        await using var holder = Database.CreateContext();
        await using var transaction = await holder.Database.BeginTransactionAsync(Cancelled);
        holder.Add(
            new HeavyTaskAttempt
            {
                TaskId = ids[0],
                Attempt = 1,
                StartedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
            }
        );
        await holder.SaveChangesAsync(Cancelled);

        // The first claim waits to see whether its attempt exists already, so the other claims wait for the first.
        Task<ClaimedHeavyTask?>[] claimed =
        [
            claims.ClaimAsync(first, ids[0]),
            claims.ClaimAsync(unreachable, ids[1]),
            claims.ClaimAsync(third, ids[2]),
        ];
        await transaction.RollbackAsync(Cancelled);

        (await claimed[0]).ShouldNotBeNull();
        await Should.ThrowAsync<Exception>(() => claimed[1]);
        await Should.ThrowAsync<Exception>(() => claimed[2]);
        (await claims.ClaimAloneAsync(third, ids[2])).ShouldNotBeNull();
        (await claims.ClaimAsync(third, ids[1])).ShouldNotBeNull().Id.ShouldBe(ids[1]);
    }
}
