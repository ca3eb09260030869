using Microsoft.EntityFrameworkCore;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

/// <summary>
/// After a lock wait timeout the server undoes only the statement, and the rest of the transaction must not be written twice.
/// </summary>
public sealed class LockWaitTests : WorkerTest
{
    private sealed record State(int Next);

    [Fact]
    public async Task Checkpoint_that_waited_too_long_for_a_lock_is_written_again()
    {
        await using (var db = Database.CreateContext())
        {
            db.Users.Add(new User { ExternalId = "locked", Name = "old" });
            await db.SaveChangesAsync();
        }

        var runs = 0;
        var again = new TaskCompletionSource();
        Script.Work = (context, _) =>
            context.CheckpointAsync(
                new State(1),
                async (db, cancellationToken) =>
                {
                    runs++;
                    await db.Database.ExecuteSqlAsync($"SET SESSION innodb_lock_wait_timeout = 1", cancellationToken);
                    db.Add(new User { ExternalId = $"new-{runs}", Name = "new" });
                    await db.SaveChangesAsync(cancellationToken);
                    if (runs == 2)
                    {
                        again.SetResult();
                    }

                    await db.Set<User>()
                        .Where(u => u.ExternalId == "locked")
                        .ExecuteUpdateAsync(set => set.SetProperty(u => u.Name, "checkpoint"), cancellationToken);
                }
            );
        var worker = await StartWorkerAsync();
        Task<HeavyTask> finished;
        await using (var other = Database.CreateContext())
        await using (await other.Database.BeginTransactionAsync())
        {
            await other.Users.ExecuteUpdateAsync(set => set.SetProperty(u => u.Country, "XX"));
            finished = worker.FinishedAsync(await worker.SubmitAsync(new TestParameters()));
            await Task.WhenAny(again.Task, finished);
        }

        var task = await finished;
        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (task.Attempt, task.Failures).ShouldBe((1, 0));
        await using var look = Database.CreateContext();
        (await look.Users.OrderBy(u => u.Name).Select(u => u.Name).ToListAsync()).ShouldBe(["checkpoint", "new"]);
    }
}
