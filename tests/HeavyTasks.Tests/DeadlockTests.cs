using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>A deadlock is nobody's mistake: what the server undid is done again, and the task is not affected.</summary>
public sealed class DeadlockTests : WorkerTest
{
    // MySQL ends the transaction that changed fewer rows; PostgreSQL ends the one that began to wait first.
    private const int ManyUsers = 200;

    private sealed record State(int Next);

    [Fact]
    public async Task Deadlocked_checkpoint_is_written_again()
    {
        var runs = 0;
        Script.Work = async (context, _) =>
        {
            var file = await context.OpenResultFileAsync("result.txt", "text/plain");
            await file.WriteAsync("once"u8.ToArray(), context.CancellationToken);
            await context.CheckpointAsync(
                new State(1),
                async (db, cancellationToken) =>
                {
                    runs++;
                    await AddNewUserAsync(db, runs, cancellationToken);
                    await RenameAsync(db, "checkpoint", cancellationToken);
                }
            );
        };

        var (worker, task) = await RunIntoDeadlockAsync();

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (task.Attempt, task.Failures).ShouldBe((1, 0));
        task.Checkpoint.ShouldBe("""{"next":1}""");
        runs.ShouldBe(2);
        await using var db = Database.CreateContext();
        (await db.Users.CountAsync(u => u.Name == "new")).ShouldBe(1);
        (await db.Users.CountAsync(u => u.Name == "checkpoint")).ShouldBe(ManyUsers);
        var store = worker.Services.GetRequiredService<IFileStore>();
        using var content = new StreamReader(
            store.OpenRead((await store.FindAsync(task.ResultFileId!.Value, "", TestContext.Current.CancellationToken))!)
        );
        (await content.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldBe("once");
    }

    [Fact]
    public async Task Deadlocked_checkpoint_after_untold_changes_ends_the_attempt()
    {
        var runs = 0;
        Script.Work = async (context, own) =>
        {
            own.Users.Add(new User { ExternalId = $"tracked-{context.Attempt}", Name = "tracked" });
            await context.CheckpointAsync(
                new State(1),
                async (db, cancellationToken) =>
                {
                    runs++;
                    await RenameAsync(db, "checkpoint", cancellationToken);
                }
            );
        };

        var (_, task) = await RunIntoDeadlockAsync(maxFailures: 2);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (task.Attempt, task.Failures, runs).ShouldBe((2, 1, 2));
        await using var db = Database.CreateContext();
        (await db.Users.Where(u => u.Name == "tracked").Select(u => u.ExternalId).ToListAsync()).ShouldBe(["tracked-2"]);
    }

    [Fact]
    public async Task Deadlocked_completion_is_saved_again_with_its_event()
    {
        Script.Work = async (context, own) =>
        {
            var user = await own.Users.OrderBy(u => u.ExternalId).FirstAsync(context.CancellationToken);
            user.Name = "completion";
            own.Users.Add(new User { ExternalId = "new", Name = "new" });
        };

        var (worker, task) = await RunIntoDeadlockAsync();

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (task.Attempt, task.Failures).ShouldBe((1, 0));
        await using var db = Database.CreateContext();
        (await db.Users.CountAsync(u => u.Name == "new")).ShouldBe(1);
        (await db.Users.CountAsync(u => u.Name == "completion")).ShouldBe(1);
        await Eventually.Async(async () => await Database.CountAsync("outbox_messages") == 0, TimeSpan.FromSeconds(30));
        worker.Bus.Consumed.Select<HeavyTaskSucceeded>(TestContext.Current.CancellationToken).Count().ShouldBe(1);
    }

    /// <summary>
    /// Another session locks the users, waits until the worker's transaction wants one of them, and then wants the row of the task, which
    /// the worker's transaction has locked.
    /// </summary>
    private async Task<(HeavyTaskTestHarness Worker, HeavyTask Task)> RunIntoDeadlockAsync(int maxFailures = 1)
    {
        await using (var db = Database.CreateContext())
        {
            db.Users.AddRange(Enumerable.Range(0, ManyUsers).Select(n => new User { ExternalId = $"old-{n}", Name = "old" }));
            await db.SaveChangesAsync();
        }

        var worker = await StartWorkerAsync();
        await using var other = await Database.OpenAsync(pooled: false);
        await using (var transaction = await other.BeginTransactionAsync(IsolationLevel.ReadCommitted))
        {
            await ExecuteAsync(transaction, "UPDATE users SET country = 'XX'");
            var id = await worker.SubmitAsync(new TestParameters(), maxFailures);
            await Eventually.Async(
                async () => await Database.LockWaitsAsync() > 0,
                TimeSpan.FromSeconds(30),
                "the worker waits for a user"
            );

            // This fails if the server ends this transaction.
            await ExecuteAsync(transaction, "UPDATE heavy_tasks SET crashes = crashes");
            await transaction.CommitAsync();
            return (worker, await worker.FinishedAsync(id));
        }
    }

    private static async Task AddNewUserAsync(DbContext db, int run, CancellationToken cancellationToken)
    {
        // Saved before the deadlock. No key protects it, so a run that was not undone would show.
        db.Add(new User { ExternalId = $"new-{run}", Name = "new" });
        await db.SaveChangesAsync(cancellationToken);
    }

    private static Task<int> RenameAsync(DbContext db, string name, CancellationToken cancellationToken) =>
        db.Set<User>().Where(u => u.Name == "old").ExecuteUpdateAsync(set => set.SetProperty(u => u.Name, name), cancellationToken);

    private static async Task ExecuteAsync(DbTransaction transaction, string sql)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}
