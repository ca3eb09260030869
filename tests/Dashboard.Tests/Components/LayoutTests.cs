using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Dashboard;
using Platform.Support;

namespace Platform.Dashboard.Tests.Components;

/// <summary>The small parts of which pages are made.</summary>
public sealed class LayoutTests : ComponentTest
{
    private DateTime Now => Clock.GetUtcNow().UtcDateTime;

    [Fact]
    public void Each_status_says_its_name_and_has_a_colour()
    {
        var styles = File.ReadAllText(Path.Combine(Repository.Root, "shared/HeavyTasks.Dashboard/wwwroot/dashboard.css"));
        foreach (var status in Enum.GetValues<HeavyTaskStatus>())
        {
            var shown = Render<Status>(parameters => parameters.Add(s => s.Of, status)).Find(".status");

            shown.TextContent.ShouldBe($"{status}");
            styles.ShouldContain($".status.{shown.ClassList.Single(name => name != "status")}");
        }
    }

    [Theory]
    [InlineData(-5, "now")]
    [InlineData(0.4, "now")]
    [InlineData(59, "59 s ago")]
    [InlineData(61, "1 min 1 s ago")]
    [InlineData(7_260, "2 h 1 min ago")]
    [InlineData(180_000, "2 d 2 h ago")]
    public void A_time_is_shown_relative_and_exact_on_hover(double secondsAgo, string expected)
    {
        var at = Now.AddSeconds(-secondsAgo);

        var time = Render<When>(parameters => parameters.Add(w => w.At, at)).Find("time");

        time.TextContent.ShouldBe(expected);
        time.GetAttribute("title").ShouldBe(at.ToString("yyyy-MM-dd HH:mm:ss.fff") + " UTC");
        DateTime.Parse(time.GetAttribute("datetime")!).ToUniversalTime().ShouldBe(at);
    }

    [Fact]
    public void A_time_grows_older_when_the_page_is_shown_again_and_none_is_a_dash()
    {
        var when = Render<When>(parameters => parameters.Add(w => w.At, Now.AddSeconds(-1)));
        Clock.Advance(TimeSpan.FromSeconds(30));
        when.Render();
        when.Find("time").TextContent.ShouldBe("31 s ago");

        when.Render(parameters => parameters.Add(w => w.At, null));

        when.FindAll("time").ShouldBeEmpty();
        when.Find("span").TextContent.ShouldBe("–");
    }

    [Fact]
    public void Before_the_first_read_it_loads()
    {
        var shown = RenderFreshness(readAt: null, failure: null);

        shown.Find("[role=status]").TextContent.Trim().ShouldBe("Loading…");
        shown.FindAll(".warn").ShouldBeEmpty();
    }

    [Fact]
    public void What_is_fresh_needs_no_word() => RenderFreshness(Clock.GetUtcNow(), failure: null).Markup.Trim().ShouldBeEmpty();

    [Fact]
    public void What_is_stale_says_why_and_how_old_it_is()
    {
        var shown = RenderFreshness(Clock.GetUtcNow().AddSeconds(-90), "The database does not answer.");

        var text = shown.Find(".warn[role=status]").TextContent;
        text.ShouldContain("The database does not answer.");
        text.ShouldContain("1 min 30 s old");
        text.ShouldContain("It is read again by itself.");
        shown.Find("span").GetAttribute("title").ShouldBe("2026-11-27 11:58:30.000 UTC");
    }

    [Fact]
    public void What_was_never_read_says_why_and_has_no_age()
    {
        var text = RenderFreshness(readAt: null, "The broker does not answer.").Find(".warn").TextContent;

        text.ShouldContain("The broker does not answer.");
        text.ShouldNotContain("old");
        text.ShouldNotContain("Loading");
    }

    [Fact]
    public void What_was_stale_is_fresh_after_the_next_read()
    {
        var shown = RenderFreshness(Clock.GetUtcNow(), "The database does not answer.");

        shown.Render(parameters => parameters.Add(f => f.Failure, null));

        shown.Markup.Trim().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_notice_is_shown_until_it_is_closed()
    {
        var bar = Render<NoticeBar>();
        bar.FindAll(".notice").ShouldBeEmpty();
        await TellAsync(notices => notices.Tell("Done."), bar);
        await TellAsync(notices => notices.TellFailure("Not done."), bar);
        bar.FindAll(".notice").Select(notice => notice.ClassList.Contains("warn")).ShouldBe([false, true]);
        bar.Find("[aria-live=polite]").TextContent.ShouldContain("Not done.");

        bar.Find("button").Click();

        bar.FindAll(".notice").Single().TextContent.ShouldContain("Not done.");
    }

    [Fact]
    public async Task A_notice_goes_by_itself_and_the_later_ones_stay()
    {
        var bar = Render<NoticeBar>();
        await TellAsync(notices => notices.Tell("first"), bar);
        Clock.Advance(TimeSpan.FromSeconds(6));
        await TellAsync(notices => notices.Tell("second"), bar);

        Clock.Advance(TimeSpan.FromSeconds(5));

        bar.WaitForAssertion(() => bar.FindAll(".notice").Single().TextContent.ShouldContain("second"), Patience);
    }

    [Fact]
    public async Task Of_many_notices_the_newest_are_shown_also_when_they_say_the_same()
    {
        var bar = Render<NoticeBar>();
        foreach (var text in new[] { "a", "b", "c", "c" })
        {
            await TellAsync(notices => notices.Tell(text), bar);
        }

        bar.FindAll(".notice").Select(notice => notice.TextContent.Trim()[..1]).ShouldBe(["b", "c", "c"]);
    }

    private static Task TellAsync(Action<Notices> tell, IRenderedComponent<NoticeBar> bar) =>
        bar.InvokeAsync(() => tell(bar.Services.GetRequiredService<Notices>()));

    private IRenderedComponent<Freshness> RenderFreshness(DateTimeOffset? readAt, string? failure) =>
        Render<Freshness>(parameters => parameters.Add(f => f.ReadAt, readAt).Add(f => f.Failure, failure));
}
