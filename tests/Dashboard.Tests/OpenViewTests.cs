using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Dashboard;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>One client cannot open pages without end.</summary>
[Collection(DashboardCollection.Name)]
public sealed class OpenViewTests(DashboardSystem system) : IAsyncLifetime
{
    private const string Refusal =
        "You have 2 pages of this dashboard open, which is the most for one client (Dashboard:MaxViewsPerClient).";

    private Uri address = null!;

    public async ValueTask InitializeAsync() =>
        address = await system
            .Start("services/Dashboard", ("Dashboard:MaxViewsPerClient", "2"))
            .WaitForAddressAsync(TimeSpan.FromSeconds(60));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task One_page_too_many_is_told_so_until_another_one_is_closed_and_other_clients_are_not_concerned()
    {
        await using var open = await SignInAsync(await system.CreateKeyAsync(HeavyTaskRole.Read));
        var second = await open.Page.Context.NewPageAsync();
        await second.GotoAsync($"{address}tasks");
        await second.Locator("main[data-live]").WaitForAsync();
        var third = await open.Page.Context.NewPageAsync();

        var refused = await third.GotoAsync($"{address}workers");

        refused!.Status.ShouldBe(429);
        await Expect(third.Locator("body")).ToContainTextAsync(Refusal);
        await using (var other = await SignInAsync(await system.CreateKeyAsync(HeavyTaskRole.Read)))
        {
            await Expect(other.Page.GetByRole(AriaRole.Heading, new() { Name = "Overview" })).ToBeVisibleAsync();
        }

        // Whoever may open no more pages can still sign out and in.
        (await third.GotoAsync($"{address}sign-in"))!.Status.ShouldBe(200);
        await second.CloseAsync();
        await Eventually.Async(async () => (await third.GotoAsync($"{address}workers"))!.Status == 200, TimeSpan.FromSeconds(60));
        await third.Locator("main[data-live]").WaitForAsync();
    }

    [Fact]
    public async Task Pages_that_are_loaded_together_do_not_all_come_to_life()
    {
        await using var open = await SignInAsync(await system.CreateKeyAsync(HeavyTaskRole.Read));

        // Each is loaded while only the first is open, and none connects before all are loaded.
        var go = new TaskCompletionSource();
        await open.Page.Context.RouteAsync(
            "**/_blazor/negotiate**",
            async route =>
            {
                await go.Task;
                await route.ContinueAsync();
            }
        );
        var pages = new List<IPage>();
        for (var i = 0; i < 3; i++)
        {
            var page = await open.Page.Context.NewPageAsync();
            (await page.GotoAsync($"{address}tasks"))!.Status.ShouldBe(200);
            pages.Add(page);
        }

        go.SetResult();

        var told = new List<string>();
        await Eventually.Async(
            async () =>
            {
                told.Clear();
                foreach (var page in pages)
                {
                    told.Add(
                        await page.Locator("main[data-live]").CountAsync() > 0 ? "live"
                        : await page.GetByText("This page has stopped").IsVisibleAsync() ? "stopped"
                        : "neither"
                    );
                }

                return told.Order().SequenceEqual(["live", "stopped", "stopped"]);
            },
            TimeSpan.FromSeconds(60),
            "one page more is live, and the others say that they are not"
        );
        var stopped = pages[told.IndexOf("stopped")];
        await stopped.GetByRole(AriaRole.Button, new() { Name = "Reload the page" }).ClickAsync();
        await Expect(stopped.Locator("body")).ToContainTextAsync(Refusal);
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("10000", true)]
    [InlineData("0", false)]
    [InlineData("10001", false)]
    public async Task The_limit_has_a_range(string value, bool isValid)
    {
        await using var application = Create(("Dashboard:MaxViewsPerClient", value));
        var options = application.Services.GetRequiredService<IOptions<DashboardOptions>>();

        if (isValid)
        {
            options.Value.MaxViewsPerClient.ShouldBe(int.Parse(value));
        }
        else
        {
            Should.Throw<OptionsValidationException>(() => options.Value).Message.ShouldContain("MaxViewsPerClient");
        }
    }

    [Fact]
    public async Task What_the_framework_keeps_for_pages_is_bounded()
    {
        await using var application = Create();
        var services = application.Services;
        var circuits = services.GetRequiredService<IOptions<CircuitOptions>>().Value;

        (circuits.DisconnectedCircuitMaxRetained, circuits.DisconnectedCircuitRetentionPeriod).ShouldBe((100, TimeSpan.FromMinutes(1)));
        circuits.MaxBufferedUnacknowledgedRenderBatches.ShouldBe(10);
        circuits.DetailedErrors.ShouldBeFalse();
        var hub = typeof(CircuitOptions).Assembly.GetType("Microsoft.AspNetCore.Components.Server.ComponentHub", throwOnError: true)!;
        var options =
            (IOptions<HubOptions>)
                services.GetRequiredService(typeof(IOptions<>).MakeGenericType(typeof(HubOptions<>).MakeGenericType(hub)));
        options.Value.MaximumReceiveMessageSize.ShouldBe(32 * 1024);
    }

    private static WebApplication Create(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        builder.Services.AddHeavyTaskDashboard();
        return builder.Build();
    }

    private async Task<OpenPage> SignInAsync(string key)
    {
        var open = await system.OpenAsync();
        await open.Page.GotoAsync($"{address}sign-in");
        await open.Page.GetByLabel("API key").FillAsync(key);
        await open.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await open.WaitForLiveAsync();
        return open;
    }
}
