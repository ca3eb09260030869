using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Playwright;
using Platform.HeavyTasks;
using Platform.Support;
using static Microsoft.Playwright.Assertions;

namespace Platform.Dashboard.Tests;

/// <summary>Why the pool runs dry is seen on the first page: how full it is, and who keeps a connection.</summary>
[Collection(DashboardCollection.Name)]
public sealed partial class PoolGaugeTests(DashboardSystem system)
{
    // A process writes its row every five seconds, and the machine may be slow.
    private const int Patience = 60_000;

    [Fact]
    public async Task The_gauge_and_the_holder_rise_under_a_handler_that_keeps_a_connection_and_fall_with_its_end()
    {
        var task = await system.SubmitAsync(
            "test.steps",
            new
            {
                name = "keeps",
                steps = 600,
                pauseMilliseconds = 1_000,
                keepsConnection = true,
            }
        );
        await using var db = system.Database.CreateContext();
        await Eventually.Async(
            async () => await db.HeavyTasks.AnyAsync(t => t.Id == task && t.Status == HeavyTaskStatus.Running),
            TimeSpan.FromSeconds(60)
        );
        var owner = await db.HeavyTasks.AsNoTracking().Where(t => t.Id == task).Select(t => t.Owner).SingleAsync();
        var host = await db.Instances.Where(i => i.Id == owner).Select(i => i.Host).SingleAsync();
        await using var open = await system.OpenSignedInAsync("/");
        var row = open.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = host });
        var gauge = row.Locator(".gauge");
        var bar = row.GetByRole(AriaRole.Progressbar);
        var holder = row.Locator($"a[href='tasks/{task}']");

        await Expect(holder).ToHaveTextAsync(HolderText(), new() { Timeout = Patience });
        await Expect(gauge).Not.ToHaveTextAsync(Nothing(), new() { Timeout = Patience });
        await Expect(bar).Not.ToHaveAttributeAsync("aria-valuenow", "0");
        var held = HeldOf(await holder.TextContentAsync());
        await ExpectAsync(async () => HeldOf(await holder.TextContentAsync()) > held);

        (await system.Api.PostAsync($"/heavy-tasks/{task}/cancel", null)).EnsureSuccessStatusCode();

        await Expect(holder).ToHaveCountAsync(0, new() { Timeout = Patience });
        await Expect(gauge).ToHaveTextAsync(Nothing(), new() { Timeout = Patience });
        await Expect(bar).ToHaveAttributeAsync("aria-valuenow", "0", new() { Timeout = Patience });
        open.Faults.ShouldBeEmpty();
    }

    private static Task ExpectAsync(Func<Task<bool>> condition) => Eventually.Async(condition, TimeSpan.FromMilliseconds(Patience));

    // "12.5 s", "12 s", "1 min 2 s": how long, in seconds.
    private static double HeldOf(string? text)
    {
        var found = HolderText().Match(text ?? "");
        return (found.Groups["min"].Success ? 60 * double.Parse(found.Groups["min"].Value) : 0) + double.Parse(found.Groups["s"].Value);
    }

    [GeneratedRegex(@"^\s*test\.steps attempt 1 for ((?<min>\d+) min )?(?<s>[\d.]+) s")]
    private static partial Regex HolderText();

    [GeneratedRegex(@"^\s*0 of \d+\s*$")]
    private static partial Regex Nothing();
}
