using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>What people do with tasks on the pages.</summary>
[Collection(DashboardCollection.Name)]
public sealed class TaskTests(DashboardSystem system)
{
    [Fact]
    public async Task An_import_is_submitted_by_the_form_and_watched_to_its_end()
    {
        await system.StartWorkerAsync("services/Worker");
        await using var open = await system.OpenSignedInAsync("/submit?kind=users.import");
        var page = open.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert).First).ToBeVisibleAsync();

        var rows = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"{i},Name {i}\n")) + ",nobody\n";
        await page.GetByLabel("fileId")
            .SetInputFilesAsync(
                new FilePayload
                {
                    Name = "users.csv",
                    MimeType = "text/csv",
                    Buffer = Encoding.UTF8.GetBytes($"id,name\n{rows}"),
                }
            );
        await Expect(page.GetByText("is uploaded")).ToBeVisibleAsync();
        await page.GetByLabel("externalId").FillAsync("id");
        await page.GetByLabel("name *").FillAsync("name");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await page.WaitForURLAsync("**/tasks/*");
        await Expect(page.Locator(".status").First).ToHaveTextAsync("Succeeded", new() { Timeout = 60_000 });
        var download = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { NameRegex = new("Download rejected.csv") }).ClickAsync()
        );
        (await File.ReadAllTextAsync((await download.PathAsync())!)).ShouldContain("nobody");
        open.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_running_task_moves_on_its_page_and_is_cancelled_there()
    {
        var id = await system.SubmitAsync("test.steps", AccessTests.Steps("cancelled", 600, 100));
        await using var open = await system.OpenSignedInAsync($"/tasks/{id}");
        await Expect(open.Page.Locator(".status").First).ToHaveTextAsync("Running");
        var gauge = open.Page.Locator("p.gauge");
        await Expect(gauge).ToContainTextAsync("of 600");
        var before = await gauge.TextContentAsync();
        await Expect(gauge).Not.ToHaveTextAsync(before!);

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await Expect(open.Page.Locator(".status").First).ToHaveTextAsync("Cancelled");
        open.Faults.ShouldBeEmpty();
        await open.Page.GotoAsync("/audit");
        await Expect(open.Page.GetByRole(AriaRole.Link, new() { Name = $"{id}" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Tasks_that_failed_are_selected_and_retried_together()
    {
        // A name that is too long for its column fails.
        var ids = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            ids.Add(await system.SubmitAsync("test.steps", AccessTests.Steps(new string('x', 3_000), 1, 0)));
        }

        await using var open = await system.OpenSignedInAsync("/tasks?status=Failed");
        foreach (var id in ids.Take(2))
        {
            await open.Page.GetByLabel($"Select task {id}").CheckAsync();
        }

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Retry 2 selected" }).ClickAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Retry 2", Exact = true }).ClickAsync();

        await Expect(open.Page.GetByText("2 of 2 tasks run again.")).ToBeVisibleAsync();
        await using var db = system.Database.CreateContext();
        var mine = ids.Select(id => $"{id}").ToList();
        var retried = await db
            .AuditEntries.Where(e => e.Action == "RetryHeavyTask" && mine.Contains(e.Target))
            .Select(e => e.Target)
            .ToListAsync();
        retried.ShouldBe(ids.Take(2).Select(id => $"{id}"), ignoreOrder: true);
    }

    [Fact]
    public async Task All_tasks_that_match_are_counted_and_cancelled_and_no_others()
    {
        var other = await system.SubmitAsync("test.other-steps", AccessTests.Steps("stays", 1, 0));
        for (var i = 0; i < 12; i++)
        {
            await system.SubmitAsync("test.steps", AccessTests.Steps($"many-{i}", 400, 100));
        }

        await using var open = await system.OpenSignedInAsync("/tasks?kind=test.steps&status=Queued");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel all that match" }).ClickAsync();
        await open
            .Page.GetByRole(AriaRole.Alertdialog)
            .GetByRole(AriaRole.Button, new() { NameRegex = new("^Cancel [0-9]+") })
            .ClickAsync();

        await Expect(open.Page.GetByText("were cancelled or told to stop")).ToBeVisibleAsync();
        await open.Page.GotoAsync("/tasks?kind=test.steps");
        await open.WaitForLiveAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel all that match" }).ClickAsync();
        await open.Page.GetByRole(AriaRole.Alertdialog).GetByRole(AriaRole.Button).First.ClickAsync();
        await using var db = system.Database.CreateContext();
        await Eventually.Async(
            async () => !await db.HeavyTasks.AnyAsync(t => t.Kind == "test.steps" && !HeavyTaskStatuses.Final.Contains(t.Status)),
            TimeSpan.FromSeconds(60)
        );
        await Eventually.Async(
            async () => await db.HeavyTasks.AnyAsync(t => t.Id == other && t.Status == HeavyTaskStatus.Succeeded),
            TimeSpan.FromSeconds(60)
        );
    }

    [Fact]
    public async Task A_killed_worker_leaves_and_its_task_moves_on()
    {
        // The workers that are there already have two places for the kind.
        var ids = new List<Guid>();
        for (var i = 0; i < 4; i++)
        {
            ids.Add(await system.SubmitAsync("test.other-steps", AccessTests.Steps($"killed-{i}", 200, 100)));
        }

        var second = await system.StartWorkerAsync();
        await using var open = await system.OpenSignedInAsync("/workers");
        var leaving = open.Page.Locator("section", new() { HasText = $":{second.Id} " });
        await Expect(leaving.GetByRole(AriaRole.Link)).ToHaveCountAsync(2, new() { Timeout = 60_000 });
        var moving = await leaving.GetByRole(AriaRole.Link).First.GetAttributeAsync("href");

        await second.KillAsync();

        await Expect(leaving).ToHaveCountAsync(0, new() { Timeout = 60_000 });
        await open.Page.GotoAsync($"/{moving}");
        var attempts = open.Page.Locator(".timeline strong");
        await Expect(attempts.Filter(new() { HasText = "1: Crashed" })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        await Expect(attempts.Filter(new() { HasText = "2: " })).ToBeVisibleAsync(new() { Timeout = 60_000 });
        foreach (var id in ids)
        {
            // Other tests need the places.
            (await system.Api.PostAsync($"/heavy-tasks/{id}/cancel", null)).Dispose();
        }
    }

    [Fact]
    public async Task Run_again_brings_the_parameters_into_the_form()
    {
        var id = await system.SubmitAsync("test.steps", AccessTests.Steps("again", 1, 0));
        await using var open = await system.OpenSignedInAsync($"/tasks/{id}");
        await open.Page.GetByRole(AriaRole.Link, new() { Name = "Run again with other parameters" }).ClickAsync();
        await Expect(open.Page.GetByLabel("name")).ToHaveValueAsync("again");

        await open.Page.GetByLabel("name").FillAsync("again and again");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await open.Page.WaitForURLAsync(url =>
            url.Contains("/tasks/", StringComparison.Ordinal) && !url.Contains($"{id}", StringComparison.Ordinal)
        );
        await Expect(open.Page.GetByText("again and again")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_paused_kind_begins_no_task_until_it_is_resumed()
    {
        const string Kind = "test.other-steps";
        await using var open = await system.OpenSignedInAsync("/");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = $"Pause {Kind}" }).ClickAsync();
        await Expect(open.Page.GetByRole(AriaRole.Button, new() { Name = $"Resume {Kind}" })).ToBeVisibleAsync();

        // Workers look every second.
        await open.Page.WaitForTimeoutAsync(3_000);
        var id = await system.SubmitAsync(Kind, AccessTests.Steps("paused", 1, 0));
        await open.Page.WaitForTimeoutAsync(3_000);
        await using var db = system.Database.CreateContext();
        (await db.HeavyTasks.AsNoTracking().SingleAsync(t => t.Id == id)).Status.ShouldBe(HeavyTaskStatus.Queued);

        await open.Page.GetByRole(AriaRole.Button, new() { Name = $"Resume {Kind}" }).ClickAsync();

        await Expect(open.Page.GetByRole(AriaRole.Button, new() { Name = $"Pause {Kind}" })).ToBeVisibleAsync();
        await Eventually.Async(
            async () => await db.HeavyTasks.AnyAsync(t => t.Id == id && t.Status == HeavyTaskStatus.Succeeded),
            TimeSpan.FromSeconds(60)
        );
        (
            await db
                .AuditEntries.Where(e => e.Target == Kind && (e.Action == "PauseKind" || e.Action == "ResumeKind"))
                .OrderBy(e => e.Id)
                .Select(e => e.Action)
                .ToListAsync()
        ).ShouldBe(["PauseKind", "ResumeKind"]);
    }
}
