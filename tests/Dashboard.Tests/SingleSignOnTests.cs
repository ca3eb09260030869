using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>People sign in at an OpenID Connect provider, and may what their claims say.</summary>
[Collection(DashboardCollection.Name)]
public sealed class SingleSignOnTests(DashboardSystem system) : IAsyncLifetime
{
    private IdentityProvider provider = null!;
    private Uri address = null!;

    public async ValueTask InitializeAsync()
    {
        provider = await IdentityProvider.StartAsync();
        var dashboard = system.Start(
            "services/Dashboard",
            ("OpenIdConnect:Authority", $"{provider.Address}"),
            ("OpenIdConnect:ClientId", IdentityProvider.ClientId),
            ("OpenIdConnect:RequireHttps", "false"),
            ("OpenIdConnect:Name", "the company"),
            ("OpenIdConnect:TenantClaim", "org")
        );
        address = await dashboard.WaitForAddressAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync() => await provider.DisposeAsync();

    [Fact]
    public async Task Somebody_signs_in_acts_is_recorded_and_signs_out()
    {
        var task = await system.SubmitAsync("test.steps", AccessTests.Steps("sso", 600, 100));
        provider.Claims.AddRange([("roles", "operate"), ("org", "*")]);
        await using var open = await SignInAsync($"/tasks/{task}");
        await open.WaitForLiveAsync();
        new Uri(open.Page.Url).AbsolutePath.ShouldBe($"/tasks/{task}");
        await Expect(open.Page.GetByText("Ada")).ToBeVisibleAsync();

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await Expect(open.Page.Locator(".status").First).ToHaveTextAsync("Cancelled");
        await using var db = system.Database.CreateContext();
        var entry = await db.AuditEntries.SingleAsync(e => e.Target == $"{task}");
        (entry.Actor, entry.ActorName, entry.Outcome).ShouldBe(("ada-1", "Ada", "Done"));
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await open.Page.GetByLabel("API key").WaitForAsync();
        await open.Page.GotoAsync($"{address}tasks");
        await Expect(open.Page.GetByLabel("API key")).ToBeVisibleAsync();
        open.Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task Somebody_of_a_tenant_sees_its_tasks_only()
    {
        await system.SubmitAsync("test.steps", AccessTests.Steps("not of this tenant", 1, 0));
        provider.Claims.AddRange([("roles", "operate"), ("org", "green")]);
        await using var open = await SignInAsync("/tasks");
        await open.WaitForLiveAsync();

        await Expect(open.Page.GetByText("No task matches.")).ToBeVisibleAsync();
        await Expect(open.Page.GetByRole(AriaRole.Link, new() { Name = "Workers" })).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData("roles", "operate")]
    [InlineData("org", "green")]
    public async Task Somebody_without_a_role_or_a_tenant_is_told_so(string type, string value)
    {
        provider.Claims.Add((type, value));

        await using var open = await SignInAsync("/");

        await Expect(open.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("You have no role here that may read tasks.");
    }

    [Fact]
    public async Task While_the_provider_is_away_the_page_says_so_and_keys_work()
    {
        await provider.DisposeAsync();

        await using var open = await SignInAsync("/");

        await Expect(open.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("The place where one signs in does not answer. Try again.");
        await open.Page.GetByLabel("API key").FillAsync(TestKey.Value);
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await open.WaitForLiveAsync();
    }

    [Fact]
    public async Task A_sign_in_that_nobody_began_here_fails()
    {
        await using var open = await system.OpenAsync();

        await open.Page.GotoAsync($"{address}signin-oidc?code=x&state=y");

        await Expect(open.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync("Signing in did not work. Try again.");
        var unknown = await open.Page.APIRequest.GetAsync($"{address}sign-in/with/HeavyTasks.ApiKey");
        unknown.Status.ShouldBe(404);
    }

    private async Task<OpenPage> SignInAsync(string path)
    {
        var open = await system.OpenAsync();
        await open.Page.GotoAsync($"{address}{path.TrimStart('/')}");
        await open.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in with the company" }).ClickAsync();
        return open;
    }
}
