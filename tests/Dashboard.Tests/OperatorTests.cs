using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>What operators do to workers, kinds and tasks that have ended, on a real broker.</summary>
[Collection(DashboardCollection.Name)]
public sealed class OperatorTests(DashboardSystem system)
{
    private const string Kind = "test.other-steps";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_worker_that_drains_finishes_its_task_gets_no_other_and_goes_on_when_it_may()
    {
        // An endpoint that is stopped on purpose must not be taken for one that has lost its channel.
        var worker = system.Start("tests/TestWorker", ("RabbitMq:EndpointTimeout", "00:00:01"));
        await worker.WaitForOutputAsync("Application started", Patience);
        await using var open = await system.OpenSignedInAsync("/workers");
        var tile = open.Page.Locator("section", new() { HasText = $":{worker.Id} " });
        await using var db = system.Database.CreateContext();
        var owner = (await db.Instances.AsNoTracking().ToListAsync())
            .Single(i => i.Host.EndsWith($":{worker.Id}", StringComparison.Ordinal))
            .Id;
        var running = new List<Guid>();
        for (var i = 0; i < 4; i++)
        {
            running.Add(await system.SubmitAsync(Kind, AccessTests.Steps($"drained-{i}", 80, 100)));
        }

        await Eventually.Async(async () => await db.HeavyTasks.AnyAsync(t => t.Owner == owner), Patience, "it runs a task");

        await tile.GetByRole(AriaRole.Button, new() { NameRegex = new("^Drain") }).ClickAsync();
        await Expect(tile.GetByText("drains")).ToBeVisibleAsync();
        await worker.WaitForOutputAsync("This worker drains", Patience);
        var later = new List<Guid>();
        for (var i = 0; i < 10; i++)
        {
            later.Add(await system.SubmitAsync(Kind, AccessTests.Steps($"later-{i}", 1, 0)));
        }

        await SucceedAsync(db, [.. running, .. later]);
        (await db.HeavyTaskAttempts.CountAsync(a => later.Contains(a.TaskId) && a.Owner == owner)).ShouldBe(0);
        (await db.HeavyTaskAttempts.CountAsync(a => running.Contains(a.TaskId))).ShouldBe(4, "each ran once, to its end");
        worker.Output.ShouldNotContain("is started anew");
        using (var http = new HttpClient { BaseAddress = await worker.WaitForAddressAsync(Patience) })
        {
            (await http.GetStringAsync("/health/ready")).ShouldContain("\"broker\":\"Degraded\"");
            (await http.GetStringAsync("/health/live")).ShouldContain("Healthy");
        }

        await tile.GetByRole(AriaRole.Button, new() { NameRegex = new("^Resume") }).ClickAsync();
        await worker.WaitForOutputAsync("This worker goes on", Patience);
        await Eventually.Async(
            async () =>
            {
                var next = await system.SubmitAsync(Kind, AccessTests.Steps("next", 1, 200));
                await SucceedAsync(db, [next]);
                return await db.HeavyTaskAttempts.AnyAsync(a => a.TaskId == next && a.Owner == owner);
            },
            Patience,
            "it takes tasks again"
        );
        (await system.Database.CountAsync("poison_messages")).ShouldBe(0);
        open.Faults.ShouldBeEmpty();

        // Other tests count the places of the kind.
        await worker.KillAsync();
    }

    [Fact]
    public async Task The_slots_of_a_kind_are_lowered_on_its_page_and_what_waits_is_purged()
    {
        await using var open = await system.OpenSignedInAsync("/");
        await open.Page.GetByRole(AriaRole.Link, new() { Name = Kind, Exact = true }).ClickAsync();
        await open.Page.GetByLabel("At most").FillAsync("1");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Set", Exact = true }).ClickAsync();
        await Expect(open.Page.GetByText("Each worker runs at most 1 at once.", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(open.Page.GetByText("1 of 2").First).ToBeVisibleAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 20; i++)
        {
            ids.Add(await system.SubmitAsync(Kind, AccessTests.Steps($"purged-{i}", 100, 100)));
        }

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Purge what waits" }).ClickAsync();
        await Expect(open.Page.GetByRole(AriaRole.Alertdialog)).ToContainTextAsync("What runs goes on");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel them" }).ClickAsync();

        await Expect(open.Page.GetByText("were cancelled")).ToBeVisibleAsync();
        await using var db = system.Database.CreateContext();
        var workers = await db.Instances.AsNoTracking().Where(i => i.KindSlots!.Contains(Kind)).CountAsync();
        var left = await db.HeavyTasks.AsNoTracking().Where(t => ids.Contains(t.Id) && t.Status != HeavyTaskStatus.Cancelled).ToListAsync();
        left.Count.ShouldBeLessThanOrEqualTo(workers, "one for each worker had begun");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "As configured" }).ClickAsync();
        await Expect(open.Page.GetByText("2 of 2").First).ToBeVisibleAsync();
        foreach (var task in left)
        {
            (await system.Api.PostAsync($"/heavy-tasks/{task.Id}/cancel", null)).Dispose();
        }

        open.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_task_shows_what_its_handler_logged_and_is_found_by_its_tag_and_deleted()
    {
        var tag = $"order:{Guid.NewGuid():N}";
        var id = await system.SubmitAsync("test.steps", AccessTests.Steps("logged", 3, 0), tags: [tag]);
        var other = await system.SubmitAsync("test.steps", AccessTests.Steps("stays", 1, 0), tags: [tag]);
        await using var db = system.Database.CreateContext();
        await SucceedAsync(db, [id, other]);
        await using var open = await system.OpenSignedInAsync($"/tasks?tag={Uri.EscapeDataString(tag)}");
        await Expect(open.Page.GetByRole(AriaRole.Link, new() { Name = $"…{id.ToString()[^12..]}" })).ToBeVisibleAsync();

        await open.Page.GotoAsync($"/tasks/{id}");
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator(".log tr")).ToHaveCountAsync(3);
        await Expect(open.Page.GetByText("Step 3 is done.")).ToBeVisibleAsync();
        await Expect(open.Page.GetByRole(AriaRole.Link, new() { Name = tag })).ToBeVisibleAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Delete it with its result" }).ClickAsync();

        await Expect(open.Page.GetByText("There is no such task. It may have been deleted")).ToBeVisibleAsync();
        (await db.HeavyTasks.AnyAsync(t => t.Id == id)).ShouldBeFalse();
        (await db.HeavyTasks.AnyAsync(t => t.Id == other)).ShouldBeTrue();
        open.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Finished_tasks_of_a_time_are_deleted_together_and_no_others()
    {
        var tag = $"time:{Guid.NewGuid():N}";
        var old = new List<Guid>();
        await using var db = system.Database.CreateContext();
        for (var i = 0; i < 3; i++)
        {
            var task = HeavyTask.Submit("test.steps", "{}", 1, new DateTime(2020, 1, 1, 12, i, 0, DateTimeKind.Utc), tags: [tag]);
            db.Add(task);
            db.Add(new HeavyTaskTag { TaskId = task.Id, Tag = tag });
            old.Add(task.Id);
        }

        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        await db
            .HeavyTasks.Where(t => old.Contains(t.Id))
            .ExecuteUpdateAsync(set =>
                set.SetProperty(t => t.Status, HeavyTaskStatus.Failed)
                    .SetProperty(t => t.FinishedAt, TimeProvider.System.GetUtcNow().UtcDateTime)
            );
        await using var open = await system.OpenSignedInAsync($"/tasks?tag={tag}");
        await open.Page.GetByLabel("Submitted from (UTC)").FillAsync("2020-01-01T12:01");
        await open.Page.GetByLabel("until (UTC)").FillAsync("2020-01-01T12:02");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Show", Exact = true }).ClickAsync();
        await open.Page.WaitForURLAsync("**until=*");
        await open.WaitForLiveAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Delete all that match" }).ClickAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Delete 1", Exact = true }).ClickAsync();

        await Expect(open.Page.GetByText("1 of 1 tasks are deleted.")).ToBeVisibleAsync();
        (await db.HeavyTasks.Where(t => old.Contains(t.Id)).Select(t => t.Id).ToListAsync()).ShouldBe([old[0], old[2]], ignoreOrder: true);
    }

    [Fact]
    public async Task A_page_hears_at_once_that_its_task_has_ended()
    {
        // Where pages are read once a minute, only the bus can have said it.
        var dashboard = system.Start("services/Dashboard", ("Dashboard:RefreshInterval", "00:01:00"));
        var address = await dashboard.WaitForAddressAsync(Patience);
        await using var open = await system.OpenAsync();
        await open.Page.GotoAsync($"{address}");
        await open.Page.GetByLabel("API key").FillAsync(TestKey.Value);
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await open.WaitForLiveAsync();
        var id = await system.SubmitAsync("test.steps", AccessTests.Steps("heard", 100, 100));
        await open.Page.GotoAsync(new Uri(address, $"tasks/{id}").ToString());
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator(".status").First).Not.ToHaveTextAsync("Succeeded");

        await Expect(open.Page.Locator(".status").First).ToHaveTextAsync("Succeeded", new() { Timeout = 40_000 });

        open.Faults.ShouldBeEmpty();
        await dashboard.KillAsync();
    }

    [Fact]
    public async Task A_reader_sees_no_button_that_changes_anything()
    {
        var task = await system.SubmitAsync("test.steps", AccessTests.Steps("read", 1, 0));
        await using var open = await system.SignInAsync(await system.CreateKeyAsync(HeavyTaskRole.Read));
        foreach (var path in (string[])["/", $"/kinds/{Kind}", "/workers", "/tasks", $"/tasks/{task}"])
        {
            await open.Page.GotoAsync(path);
            await open.WaitForLiveAsync();
            await Expect(open.Page.Locator("main h1")).ToBeVisibleAsync();
            (await open.Page.Locator("main button:not([type=submit])").AllTextContentsAsync()).ShouldBeEmpty(path);
        }
    }

    private static Task SucceedAsync(Microsoft.EntityFrameworkCore.DbContext db, Guid[] ids) =>
        Eventually.Async(
            async () =>
                await db.Set<HeavyTask>().CountAsync(t => ids.Contains(t.Id) && t.Status == HeavyTaskStatus.Succeeded) == ids.Length,
            Patience,
            "all succeed"
        );
}
