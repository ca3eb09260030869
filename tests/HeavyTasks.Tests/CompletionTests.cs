using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

/// <summary>A handler's changes and the success of its task are one transaction, however many commands the save needs.</summary>
public sealed class CompletionTests : WorkerTest
{
    private const int Many = 2_000;

    public enum Changes
    {
        /// <summary>Inserts that fit into one command.</summary>
        Few,

        /// <summary>Inserts that need several commands.</summary>
        ManyRows,

        /// <summary>Updates as well. Only the client sees whether an update found its row.</summary>
        Updates,
    }

    [Theory]
    [InlineData(Changes.Few)]
    [InlineData(Changes.ManyRows)]
    [InlineData(Changes.Updates)]
    public async Task Changes_are_saved_with_the_success(Changes changes)
    {
        await AddUserAsync("0");
        var worker = await StartWorkerAsync();
        Script.Work = (_, db) => ChangeAsync(db, changes);

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (task.Attempt, task.Owner, task.FinishedAt is null).ShouldBe((1, null, false));
        await using var db = Database.CreateContext();
        (await db.Users.CountAsync()).ShouldBe(changes == Changes.ManyRows ? Many + 1 : 2);
        (await db.Users.CountAsync(u => u.Name == "changed")).ShouldBe(changes == Changes.Updates ? 1 : 0);
        (await db.HeavyTaskAttempts.SingleAsync()).Outcome.ShouldBe(AttemptOutcome.Succeeded);
    }

    [Theory]
    [InlineData(Changes.Few)]
    [InlineData(Changes.ManyRows)]
    [InlineData(Changes.Updates)]
    public async Task Of_an_attempt_that_lost_its_task_nothing_is_saved(Changes changes)
    {
        await AddUserAsync("0");
        var worker = await StartWorkerAsync(("HeavyTasks:Interval", "00:00:10"));
        Script.Work = async (context, db) =>
        {
            await ChangeAsync(db, changes);
            var thief = await AddOtherWorkerAsync();
            await using var other = Database.CreateContext();
            await other.HeavyTasks.Where(t => t.Id == context.TaskId).ExecuteUpdateAsync(set => set.SetProperty(t => t.Owner, thief));
        };

        var id = await worker.SubmitAsync(new TestParameters());
        await worker.Bus.Consumed.Any<Contracts.HeavyTaskRequested>(TestContext.Current.CancellationToken);
        await worker.StopAsync();

        (await ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Running);
        await ShouldHaveSavedNothingAsync();
    }

    [Theory]
    [InlineData(Changes.Few)]
    [InlineData(Changes.ManyRows)]
    [InlineData(Changes.Updates)]
    public async Task Of_changes_that_the_database_refuses_nothing_is_saved(Changes changes)
    {
        await AddUserAsync("0");
        var worker = await StartWorkerAsync();
        Script.Work = async (_, db) =>
        {
            await ChangeAsync(db, changes);
            db.Users.Add(new User { ExternalId = "0", Name = "twice" });
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 1);

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        await ShouldHaveSavedNothingAsync();
    }

    private static async Task ChangeAsync(PlatformDbContext db, Changes changes)
    {
        if (changes == Changes.Updates)
        {
            (await db.Users.SingleAsync()).Name = "changed";
        }

        db.Users.AddRange(
            Enumerable.Range(1, changes == Changes.ManyRows ? Many : 1).Select(i => new User { ExternalId = $"{i}", Name = "new" })
        );
    }

    private async Task AddUserAsync(string externalId)
    {
        await using var db = Database.CreateContext();
        db.Users.Add(new User { ExternalId = externalId, Name = "first" });
        await db.SaveChangesAsync();
    }

    private async Task ShouldHaveSavedNothingAsync()
    {
        await using var db = Database.CreateContext();
        (await db.Users.Select(u => u.Name).ToListAsync()).ShouldBe(["first"]);
        (await db.HeavyTaskAttempts.SingleAsync()).Outcome.ShouldNotBe(AttemptOutcome.Succeeded);
    }
}
