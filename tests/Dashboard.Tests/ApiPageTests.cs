using Microsoft.Playwright;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>The page that documents the API, in a real browser.</summary>
[Collection(DashboardCollection.Name)]
public sealed class ApiPageTests(DashboardSystem system)
{
    [Fact]
    public async Task The_page_works_under_a_policy_that_lets_it_load_and_run_nothing_but_its_own_files()
    {
        var api = system.Start("services/Api", ("ASPNETCORE_ENVIRONMENT", "Development"));
        var address = await api.WaitForAddressAsync(TimeSpan.FromSeconds(60));
        await using var open = await system.OpenAsync();

        var answer = await open.Page.GotoAsync(new Uri(address, "swagger").ToString());

        (await answer!.HeaderValueAsync("content-security-policy"))
            .ShouldNotBeNull()
            .ShouldStartWith("default-src 'none'; script-src 'self';");
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Authorize" }).First.ClickAsync();
        await open.Page.Locator(".auth-container input").FillAsync(TestKey.Value);
        await open.Page.Locator(".auth-container").GetByRole(AriaRole.Button, new() { Name = "Apply credentials" }).ClickAsync();
        await open.Page.Locator(".btn-done").ClickAsync();
        var operation = open.Page.Locator("#operations-Services-ListServices");
        await operation.GetByRole(AriaRole.Button).First.ClickAsync();
        await operation.GetByRole(AriaRole.Button, new() { Name = "Try it out" }).ClickAsync();
        await operation.GetByRole(AriaRole.Button, new() { Name = "Execute" }).ClickAsync();
        await Expect(operation.Locator(".live-responses-table .response-col_status").Nth(1)).ToContainTextAsync("200");

        open.Faults.ShouldBeEmpty();
        open.Requests.Where(request => request.Authority != address.Authority && request.Scheme != "data").ShouldBeEmpty();
        await api.KillAsync();
    }
}
