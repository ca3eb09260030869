using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>With <c>Access:PayloadRole=operate</c> whoever may only read sees that tasks are there, and nothing in them.</summary>
[Collection(DashboardCollection.Name)]
public sealed class PayloadTests(DashboardSystem system) : IAsyncLifetime
{
    // A word of the parameters, which is also in the result file and in the error.
    private const string Secret = "Margarethe";

    private Uri address = null!;
    private Guid failed;
    private Guid imported;

    public async ValueTask InitializeAsync()
    {
        var dashboard = system.Start("services/Dashboard", ("Access:PayloadRole", "operate"));
        await system.StartWorkerAsync("services/Worker");
        address = await dashboard.WaitForAddressAsync(TimeSpan.FromSeconds(60));
        failed = await ImportAsync("id,name\n1,Ada\n");
        imported = await ImportAsync($"id,{Secret}\n1,Ada\n,nobody\n");
        await using var db = system.Database.CreateContext();
        await Eventually.Async(
            async () => await db.HeavyTasks.CountAsync(t => (t.Id == failed || t.Id == imported) && t.FinishedAt != null) == 2,
            TimeSpan.FromSeconds(60)
        );
        (await db.HeavyTasks.SingleAsync(t => t.Id == failed)).Error!.ShouldContain(Secret);
        var succeeded = await db.HeavyTasks.SingleAsync(t => t.Id == imported);
        (succeeded.Status, succeeded.ProgressText is null, succeeded.ResultFileId is null).ShouldBe(
            (HeavyTaskStatus.Succeeded, false, false)
        );
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_reader_sees_no_parameters_result_error_progress_text_or_download()
    {
        await using var open = await SignInAsync(HeavyTaskRole.Read | HeavyTaskRole.Submit);
        foreach (var task in new[] { failed, imported })
        {
            await open.Page.GotoAsync($"{address}tasks/{task}");
            await open.WaitForLiveAsync();
            await Expect(open.Page.GetByText("are not shown to this client")).ToBeVisibleAsync();
            await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Attempts" })).ToBeVisibleAsync();
            foreach (var heading in new[] { "Parameters", "Result", "Error", "Checkpoint" })
            {
                await Expect(Heading(open, heading)).ToHaveCountAsync(0);
            }

            await Expect(open.Page.Locator("pre, details")).ToHaveCountAsync(0);
            await Expect(open.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("Download|Run again") })).ToHaveCountAsync(0);
            await ExpectNothingAsync(open);
        }

        (await DownloadAsync(open, imported)).Status.ShouldBe(403);

        // Nor where tasks are looked for, and nothing of it by asking whether an error has it.
        await open.Page.GotoAsync($"{address}tasks?status=Failed&kind=users.import&error={Secret}x");
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator($"a[href='tasks/{failed}']")).ToHaveCountAsync(1);
        await Expect(open.Page.GetByLabel("Error contains")).ToHaveCountAsync(0);
        await open.Page.GotoAsync($"{address}tasks");
        await open.WaitForLiveAsync();
        await ExpectNothingAsync(open);
        await open.Page.GotoAsync($"{address}submit?from={imported}");
        await open.WaitForLiveAsync();
        await Expect(open.Page.GetByLabel("Kind")).ToBeVisibleAsync();
        await ExpectNothingAsync(open);
        await open.Page.GotoAsync($"{address}faults");
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator(".empty")).ToContainTextAsync("This page needs");
    }

    [Fact]
    public async Task An_operator_sees_all_of_it()
    {
        await using var open = await SignInAsync(HeavyTaskRole.Operate);
        await open.Page.GotoAsync($"{address}tasks/{imported}");
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator("section", new() { Has = Heading(open, "Parameters") })).ToContainTextAsync(Secret);
        await Expect(Heading(open, "Result")).ToBeVisibleAsync();
        await Expect(open.Page.Locator("p.gauge")).ToContainTextAsync("1 of them rejected");
        await Expect(open.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("Download rejected.csv") })).ToBeVisibleAsync();
        (await DownloadAsync(open, imported)).Status.ShouldBe(200);

        await open.Page.GotoAsync($"{address}tasks/{failed}");
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator("section", new() { Has = Heading(open, "Error") })).ToContainTextAsync(Secret);
        await open.Page.GotoAsync($"{address}tasks?status=Failed&kind=users.import&error={Secret}");
        await open.WaitForLiveAsync();
        await Expect(open.Page.Locator($"a[href='tasks/{failed}']")).ToHaveCountAsync(1);
        await open.Page.GotoAsync($"{address}tasks?status=Failed&kind=users.import&error={Secret}x");
        await open.WaitForLiveAsync();
        await Expect(open.Page.GetByText("No task matches.")).ToBeVisibleAsync();
    }

    private static ILocator Heading(OpenPage open, string name) =>
        open.Page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true });

    private static async Task ExpectNothingAsync(OpenPage open)
    {
        var content = await open.Page.ContentAsync();
        content.ShouldNotContain(Secret);
        content.ShouldNotContain("of them rejected");
        content.ShouldNotContain("rejected.csv");
    }

    private Task<IAPIResponse> DownloadAsync(OpenPage open, Guid task) => open.Page.APIRequest.GetAsync($"{address}download/{task}");

    private async Task<OpenPage> SignInAsync(HeavyTaskRole roles)
    {
        var open = await system.OpenAsync();
        await open.Page.GotoAsync($"{address}sign-in");
        await open.Page.GetByLabel("API key").FillAsync(await system.CreateKeyAsync(roles));
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await open.WaitForLiveAsync();
        return open;
    }

    private async Task<Guid> ImportAsync(string file)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(file));
        content.Headers.ContentType = new MediaTypeHeaderValue("text/csv");
        using var response = await system.Api.PostAsync("/files?name=users.csv", content);
        response.EnsureSuccessStatusCode();
        var fileId = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
        return await system.SubmitAsync("users.import", new { fileId, columns = new { externalId = "id", name = Secret } });
    }
}
