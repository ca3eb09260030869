using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>
/// A second click comes before the browser knows that the first one has begun something. The tests hold the row of the task meanwhile, so
/// that the first has not ended either.
/// </summary>
[Collection(DashboardCollection.Name)]
public sealed class DoubleClickTests(DashboardSystem system)
{
    // Both at once: no answer of the server comes between them.
    private const string Twice = "element => { element.click(); element.click(); }";

    [Fact]
    public async Task Two_clicks_on_retry_retry_a_task_once()
    {
        var id = await FailAsync();
        await using var open = await system.OpenSignedInAsync($"/tasks/{id}");
        var retry = open.Page.GetByRole(AriaRole.Button, new() { Name = "Retry" });
        await using (var lockHolder = system.Database.CreateContext())
        {
            await using var held = await HoldAsync(lockHolder, id);
            await retry.EvaluateAsync(Twice);
            await Expect(retry).ToBeDisabledAsync();
            await WaitingAsync();
            await held.RollbackAsync();
        }

        await Expect(open.Page.GetByText("The task runs again.")).ToHaveCountAsync(1);
        (await OutcomesAsync(id)).ShouldBe(["Done"]);
        await Expect(open.Page.GetByText("can be retried")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Two_clicks_on_the_answer_to_a_question_retry_each_task_once()
    {
        var ids = new[] { await FailAsync(), await FailAsync() };
        await using var open = await system.OpenSignedInAsync("/tasks?status=Failed");
        foreach (var id in ids)
        {
            await open.Page.GetByLabel($"Select task {id}").CheckAsync();
        }

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Retry 2 selected" }).ClickAsync();
        var answer = open.Page.GetByRole(AriaRole.Button, new() { Name = "Retry 2", Exact = true });
        await answer.WaitForAsync();
        await using (var lockHolder = system.Database.CreateContext())
        {
            await using var held = await HoldAsync(lockHolder, ids);
            await answer.EvaluateAsync(Twice);
            await Expect(answer).ToHaveCountAsync(0);

            // The server hears one click after the other, and this one after both.
            await open.Page.GetByLabel($"Select task {ids[0]}").UncheckAsync();
            await Expect(open.Page.GetByRole(AriaRole.Button, new() { Name = "Retry 1 selected" })).ToBeVisibleAsync();
            await WaitingAsync();
            await held.RollbackAsync();
        }

        await Expect(open.Page.GetByText("2 of 2 tasks run again.")).ToHaveCountAsync(1);
        await Expect(open.Page.GetByText("of 2 tasks run again.")).ToHaveCountAsync(1);
        await Eventually.Async(async () => await system.Database.LockWaitsAsync() == 0, TimeSpan.FromSeconds(60));
        foreach (var id in ids)
        {
            (await OutcomesAsync(id)).ShouldBe(["Done"]);
        }
    }

    [Fact]
    public async Task Two_clicks_on_submit_submit_one_task()
    {
        var name = $"twice-{Guid.NewGuid():N}";
        await using var open = await system.OpenSignedInAsync("/submit?kind=test.steps");
        await open.Page.GetByLabel("name").FillAsync(name);
        await open.Page.GetByLabel("steps").FillAsync("1");
        await open.Page.GetByLabel("pauseMilliseconds").FillAsync("0");
        await open.Page.GetByLabel("pauseMilliseconds").BlurAsync();

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).EvaluateAsync(Twice);

        await open.Page.WaitForURLAsync("**/tasks/*");
        await Expect(open.Page.Locator(".status").First).ToHaveTextAsync("Succeeded", new() { Timeout = 60_000 });
        await using var db = system.Database.CreateContext();
        (await db.HeavyTasks.CountAsync(t => t.Parameters.Contains(name))).ShouldBe(1);
    }

    // A task that cannot succeed: its name is too long for the column.
    private async Task<Guid> FailAsync()
    {
        var id = await system.SubmitAsync("test.steps", AccessTests.Steps(new string('x', 3_000), 1, 0));
        await using var db = system.Database.CreateContext();
        await Eventually.Async(
            async () => await db.HeavyTasks.AnyAsync(t => t.Id == id && t.Status == HeavyTaskStatus.Failed),
            TimeSpan.FromSeconds(60)
        );
        return id;
    }

    private static async Task<Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction> HoldAsync(DbContext db, params Guid[] ids)
    {
        var transaction = await db.Database.BeginTransactionAsync();
        await db.Set<HeavyTask>().Where(t => ids.Contains(t.Id)).ExecuteUpdateAsync(set => set.SetProperty(t => t.Crashes, 1));
        return transaction;
    }

    // Something waits for the row.
    private Task WaitingAsync() => Eventually.Async(async () => await system.Database.LockWaitsAsync() > 0, TimeSpan.FromSeconds(60));

    private async Task<List<string>> OutcomesAsync(Guid id)
    {
        await using var db = system.Database.CreateContext();
        return await db.AuditEntries.Where(e => e.Action == "RetryHeavyTask" && e.Target == $"{id}").Select(e => e.Outcome).ToListAsync();
    }
}
