using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Dashboard;

namespace Platform.Dashboard.Tests.Components;

/// <summary>What stands before every page.</summary>
public sealed class GateTests : ComponentTest
{
    [Fact]
    public void Whoever_may_read_sees_the_page()
    {
        Visitor.Become("read");

        RenderGate().Find("p").TextContent.ShouldBe("the page");
    }

    [Fact]
    public void Nobody_and_whoever_may_not_read_see_nothing_of_the_page()
    {
        var gate = RenderGate();
        gate.Markup.ShouldNotContain("the page");
        gate.Find("h1").TextContent.ShouldBe("No access");

        Visitor.Become("submit");

        gate.WaitForAssertion(() => gate.Find("h1").TextContent.ShouldBe("No access"), Patience);
        gate.Markup.ShouldNotContain("the page");
    }

    [Fact]
    public void The_way_to_sign_in_leads_back_to_the_page_and_is_there_only_where_one_can_sign_in()
    {
        AddSignIn();
        Services.GetRequiredService<NavigationManager>().NavigateTo("tasks?kind=a&status=Failed");

        RenderGate().Find("a").GetAttribute("href").ShouldBe("sign-in?returnUrl=%2Ftasks%3Fkind%3Da%26status%3DFailed");
    }

    [Fact]
    public void Where_nobody_can_sign_in_no_link_says_so() => RenderGate().FindAll("a").ShouldBeEmpty();

    [Fact]
    public void An_open_page_closes_when_its_session_ends()
    {
        Visitor.Become("read");
        var gate = RenderGate();

        Visitor.Leave();

        gate.WaitForAssertion(() => gate.Markup.ShouldNotContain("the page"), Patience);
    }

    [Fact]
    public void Nothing_is_shown_while_it_is_not_known_who_looks()
    {
        Visitor.Become("read");
        Visitor.Hide();
        var gate = RenderGate();
        gate.Markup.Trim().ShouldBeEmpty();

        Visitor.Reveal();

        gate.WaitForAssertion(() => gate.Markup.ShouldContain("the page"), Patience);
    }

    private IRenderedComponent<Gate> RenderGate() => Render<Gate>(gate => gate.AddChildContent("<p>the page</p>"));
}
