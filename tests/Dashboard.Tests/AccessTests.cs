using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>Who gets in, and what each may see and do there.</summary>
[Collection(DashboardCollection.Name)]
public sealed class AccessTests(DashboardSystem system)
{
    [Fact]
    public async Task Nobody_without_a_session_sees_anything_but_the_page_where_one_signs_in()
    {
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { BaseAddress = system.Address };
        foreach (
            var path in new[]
            {
                "/",
                "/tasks",
                $"/tasks/{Guid.NewGuid()}",
                "/workers",
                "/faults",
                "/audit",
                "/submit",
                $"/download/{Guid.NewGuid()}",
            }
        )
        {
            using var response = await client.GetAsync(path);
            response.StatusCode.ShouldBe(HttpStatusCode.Redirect, path);
            response.Headers.Location!.ToString().ShouldContain($"/sign-in?returnUrl={Uri.EscapeDataString(path)}");
        }

        foreach (var path in new[] { "/_blazor/negotiate?negotiateVersion=1", "/sign-out", "/tasks" })
        {
            using var response = await client.PostAsync(path, null);
            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, path);
        }

        using var health = await client.GetAsync("/health/ready");
        health.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_key_that_is_none_is_refused_and_one_that_may_not_read_too()
    {
        await using var open = await system.OpenAsync();
        foreach (var key in new[] { "platform_no", TestKey.Value[..^1] + "6", await system.CreateKeyAsync(HeavyTaskRole.Submit) })
        {
            await open.Page.GotoAsync("/sign-in");
            await open.Page.GetByLabel("API key").FillAsync(key);
            await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await Expect(open.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The key");
        }
    }

    [Theory]
    [InlineData("/tasks", "/tasks")]
    [InlineData("//example.org/", "/")]
    [InlineData("https://example.org/", "/")]
    [InlineData("/\\example.org", "/")]
    public async Task Whoever_signs_in_comes_to_the_page_that_was_asked_for_and_to_no_other_site(string returnUrl, string expected)
    {
        await using var open = await system.OpenAsync();
        await open.Page.GotoAsync($"/sign-in?returnUrl={Uri.EscapeDataString(returnUrl)}");
        await open.Page.GetByLabel("API key").FillAsync(TestKey.Value);
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();

        await open.WaitForLiveAsync();

        new Uri(open.Page.Url).ShouldBe(new Uri(system.Address, expected));
    }

    [Fact]
    public async Task A_session_ends_on_request()
    {
        await using var open = await system.SignInAsync();
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await open.Page.GetByLabel("API key").WaitForAsync();

        await open.Page.GotoAsync("/tasks");

        await Expect(open.Page.GetByLabel("API key")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Whoever_signs_out_in_one_tab_has_no_access_in_another_and_none_with_a_copied_cookie()
    {
        await using var open = await system.SignInAsync();
        var cookies = await open.Page.Context.CookiesAsync();
        var other = await open.Page.Context.NewPageAsync();
        await other.GotoAsync("/tasks");
        await other.Locator("main[data-live]").WaitForAsync();

        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        await Expect(other.GetByRole(AriaRole.Heading, new() { Name = "No access" })).ToBeVisibleAsync(new() { Timeout = 45_000 });
        await using var thief = await system.OpenAsync();
        await thief.Page.Context.AddCookiesAsync(
            cookies.Select(c => new Microsoft.Playwright.Cookie
            {
                Name = c.Name,
                Value = c.Value,
                Url = $"{system.Address}",
            })
        );
        await thief.Page.GotoAsync("/tasks");
        await Expect(thief.Page.GetByLabel("API key")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_open_page_closes_within_seconds_when_its_key_is_revoked()
    {
        var key = await system.CreateKeyAsync(HeavyTaskRole.Operate);
        await using var open = await system.SignInAsync(key);
        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();

        using (var revoked = await system.Api.DeleteAsync($"/keys/{key.Split('_')[1]}"))
        {
            revoked.EnsureSuccessStatusCode();
        }

        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "No access" })).ToBeVisibleAsync(new() { Timeout = 45_000 });
        await open.Page.GotoAsync("/tasks");
        await Expect(open.Page.GetByLabel("API key")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_reader_sees_and_cannot_act()
    {
        var task = await system.SubmitAsync("test.steps", Steps("reader", 400, 100));
        await using var open = await system.SignInAsync(await system.CreateKeyAsync(HeavyTaskRole.Read));

        await open.Page.GotoAsync($"/tasks/{task}");
        await open.WaitForLiveAsync();
        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Attempts" })).ToBeVisibleAsync();
        await Expect(open.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" })).ToHaveCountAsync(0);
        await open.Page.GotoAsync("/tasks");
        await open.WaitForLiveAsync();
        await Expect(open.Page.GetByRole(AriaRole.Checkbox)).ToHaveCountAsync(0);
        foreach (var path in new[] { "/audit", "/submit" })
        {
            await open.Page.GotoAsync(path);
            await Expect(open.Page.GetByText("This page needs a client with the role")).ToBeVisibleAsync();
        }

        (await system.Api.PostAsync($"/heavy-tasks/{task}/cancel", null)).Dispose();
    }

    [Fact]
    public async Task A_tenant_sees_its_own_tasks_only()
    {
        var others = await system.SubmitAsync("test.steps", Steps("others", 1, 0));
        await using var open = await system.SignInAsync(await system.CreateKeyAsync(HeavyTaskRole.Operate | HeavyTaskRole.Submit, "red"));

        await Expect(open.Page.GetByRole(AriaRole.Heading, new() { Name = "Pools" })).ToHaveCountAsync(0);
        await open.Page.GotoAsync("/tasks");
        await open.WaitForLiveAsync();
        await Expect(open.Page.GetByText("No task matches.")).ToBeVisibleAsync();
        await Expect(open.Page.GetByLabel("Tenant")).ToHaveCountAsync(0);
        foreach (
            var path in new[]
            {
                $"/tasks/{others}",
                "/tasks?tenant=",
                "/tasks?status=Succeeded&kind=test.steps",
                "/workers",
                "/faults",
                "/audit",
            }
        )
        {
            await open.Page.GotoAsync(path);
            await open.WaitForLiveAsync();
            await Expect(open.Page.Locator(".empty")).ToBeVisibleAsync();
        }

        await open.Page.GotoAsync($"/submit?from={others}");
        await open.WaitForLiveAsync();
        (await open.Page.ContentAsync()).ShouldNotContain("others");
        var download = await open.Page.APIRequest.GetAsync($"{system.Address}download/{others}");
        download.Status.ShouldBe(404);
    }

    [Fact]
    public async Task No_key_and_no_cookie_is_in_the_log_however_much_it_logs()
    {
        var dashboard = system.Start(
            "services/Dashboard",
            ("Logging:LogLevel:Default", "Trace"),
            ("Logging:LogLevel:Microsoft.AspNetCore", "Trace"),
            ("Logging:LogLevel:Microsoft.EntityFrameworkCore", "Trace"),
            ("Logging:LogLevel:Microsoft.AspNetCore.DataProtection", "Trace")
        );
        var address = await dashboard.WaitForAddressAsync(TimeSpan.FromSeconds(60));
        await using var open = await system.OpenAsync();
        foreach (var key in new[] { TestKey.Value[..^1] + "7", TestKey.Value })
        {
            await open.Page.GotoAsync($"{address}sign-in");
            await open.Page.GetByLabel("API key").FillAsync(key);
            await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
            await open.Page.WaitForLoadStateAsync();
        }

        await open.WaitForLiveAsync();
        var cookie = (await open.Page.Context.CookiesAsync()).Single(c => c.Name == "heavy-tasks-dashboard").Value;
        dashboard.Output.ShouldContain("dbug:");
        foreach (var secret in new[] { TestKey.Value.Split('_')[2], TestKey.Value.Split('_')[2][..^1], cookie[..40] })
        {
            dashboard.Output.Contains(secret, StringComparison.Ordinal).ShouldBeFalse();
        }
    }

    internal static object Steps(string name, int steps, int pauseMilliseconds) =>
        new
        {
            name,
            steps,
            pauseMilliseconds,
        };
}
