using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Platform.Support;

namespace Platform.Dashboard.Tests;

/// <summary>
/// Every page, in both themes and on a phone: it loads nothing from elsewhere, and has no fault that people with other eyes or hands meet.
/// </summary>
[Collection(DashboardCollection.Name)]
public sealed class PageTests(DashboardSystem system)
{
    public static TheoryData<string> Paths =>
        ["/", "/tasks", "/tasks?kind=test.other-steps", "/tasks/{task}", "/kinds/test.steps", "/workers", "/faults", "/audit", "/submit"];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_page_is_accessible_and_loads_nothing_from_elsewhere(string path)
    {
        var task = await system.SubmitAsync("test.steps", AccessTests.Steps("p", 1, 0));

        // One with a long error, and one of the longest kind with progress, so that the tables are as wide as they get.
        await system.SubmitAsync("test.other-steps", AccessTests.Steps(new string('x', 3_000), 1, 0));
        await system.SubmitAsync("test.other-steps", AccessTests.Steps("wide", 1_234, 2));
        foreach (var (scheme, width) in new[] { (ColorScheme.Light, 1280), (ColorScheme.Dark, 1280), (ColorScheme.Light, 390) })
        {
            await using var open = await system.OpenSignedInAsync(
                path.Replace("{task}", $"{task}", StringComparison.Ordinal),
                new BrowserNewContextOptions
                {
                    ColorScheme = scheme,
                    ViewportSize = new ViewportSize { Width = width, Height = 800 },
                }
            );
            if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { } folder)
            {
                var name = $"{path.Trim('/').Replace('/', '-').Replace('?', '-')}-{scheme}-{width}".ToLowerInvariant();
                await open.Page.ScreenshotAsync(new PageScreenshotOptions { Path = $"{folder}/{name}.png", FullPage = true });
            }

            var result = await open.Page.RunAxe();

            result.Violations.Select(v => $"{v.Id}: {v.Nodes[0].Html}").ShouldBeEmpty($"{path} {scheme} {width}");
            open.Faults.ShouldBeEmpty($"{path} {scheme} {width}");
            open.Requests.Where(request => request.Authority != system.Address.Authority).ShouldBeEmpty();
            var overflow = await open.Page.EvaluateAsync<string[]>(
                """
                [document.documentElement, ...document.querySelectorAll('.grid, .mud-table-container')]
                    .filter(e => e.scrollWidth > e.clientWidth + 16).map(e => e.className + ' ' + e.scrollWidth + ' > ' + e.clientWidth)
                """
            );
            overflow.ShouldBeEmpty($"{path} {scheme} {width}");
        }
    }
}
