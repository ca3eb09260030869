using System.ComponentModel.DataAnnotations;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Contracts;
using Platform.HeavyTasks.Dashboard;
using Platform.HeavyTasks.Http;

namespace Platform.Dashboard.Tests.Components;

/// <summary>The form where tasks are submitted: its inputs, and what is wrong, beside the input that it is about.</summary>
public sealed class SubmitFormTests : ComponentTest
{
    public SubmitFormTests()
    {
        var options = Options.Create(new SubmitHeavyTaskOptions { AcceptAnnouncedKinds = false });
        Services.AddScoped(services => new SubmitActions(
            services.GetRequiredService<Viewer>(),
            new KnownKinds(new AcceptedKinds([typeof(Order), typeof(Simple)]), null!, options),
            // What is refused is neither saved nor stored.
            commit: null!,
            files: null!,
            transfers: null!,
            limits: null!,
            waiting: null!,
            options,
            Options.Create(new FileUploadOptions()),
            services.GetRequiredService<IServiceScopeFactory>(),
            Clock
        ));
        Visitor.Become("read", "submit");
    }

    [Fact]
    public void The_form_has_an_input_of_its_own_for_each_type()
    {
        var page = RenderForm("test.order");

        page.Find("#f-name").TagName.ShouldBe("INPUT");
        page.Find("#f-count").GetAttribute("inputmode").ShouldBe("decimal");
        page.Find("#f-name").HasAttribute("inputmode").ShouldBeFalse();
        page.FindAll("#f-colour option").Select(option => option.TextContent).ShouldBe(["default", "Red", "Green"]);
        page.FindAll("#f-isDry option").Select(option => option.GetAttribute("value")).ShouldBe(["", "true", "false"]);
        page.Find("#f-fileId").GetAttribute("type").ShouldBe("file");
        page.Find("#f-lines").TagName.ShouldBe("TEXTAREA");
        page.Find("fieldset legend").TextContent.ShouldBe("to");
        page.Find("fieldset input").Id.ShouldBe("f-to.town");
        page.Find("label[for=f-name]").TextContent.ShouldBe("name *");
        page.Find("label[for=f-count]").TextContent.ShouldBe("count");
    }

    [Fact]
    public void Each_input_has_a_label_of_its_own()
    {
        var page = RenderForm("test.order");

        var inputs = page.FindAll("form input, form select, form textarea").Select(input => input.Id).ToList();
        inputs.ShouldBeUnique();
        foreach (var id in inputs)
        {
            page.FindAll("label").Count(label => label.GetAttribute("for") == id).ShouldBe(1, id);
        }
    }

    [Fact]
    public void What_is_wrong_stands_beside_the_input_that_it_is_about()
    {
        var page = RenderForm("test.order");
        page.Find("form").Submit();
        page.WaitForAssertion(() => ErrorBeside("f-name").ShouldBe("Required."), Patience);
        page.Find("#f-name").Change("longer than ten");
        page.Find("#f-count").Change("200");
        page.Find("#f-to\\.town").Change(new string('x', 30));

        page.Find("form").Submit();

        page.WaitForAssertion(() => ErrorBeside("f-count").ShouldNotBeNull(), Patience);
        ErrorBeside("f-name")!.ShouldContain("10");
        ErrorBeside("f-count")!.ShouldContain("100");
        ErrorBeside("f-to.town").ShouldNotBeNull();
        ErrorBeside("f-colour").ShouldBeNull();
        page.FindAll("form > .notice").ShouldBeEmpty();

        string? ErrorBeside(string id) =>
            page.FindAll(".field")
                .Single(field => field.QuerySelector($"[id='{id}']") is not null)
                .QuerySelector("p.error[role=alert]")
                ?.TextContent;
    }

    [Theory]
    [InlineData("many")]
    [InlineData("1.5")]
    [InlineData("0")]
    public void A_number_that_is_none_or_out_of_its_range_is_named(string entered)
    {
        var page = RenderForm("test.simple");
        page.Find("#f-count").Change(entered);

        page.Find("form").Submit();

        page.WaitForAssertion(() => page.FindAll("p.error").Count.ShouldBe(1), Patience);
        page.Find("p.error").ParentElement!.QuerySelector("#f-count").ShouldNotBeNull();
    }

    [Fact]
    public void What_is_no_json_is_told_and_nothing_is_lost()
    {
        var page = RenderForm("test.order");
        page.Find("#f-name").Change("kept");
        page.Find("#f-lines").Change("[1,");

        page.Find("form").Submit();

        page.WaitForAssertion(() => page.Find("form .notice[role=alert]").TextContent.ShouldContain("JSON"), Patience);
        page.Find("#f-name").GetAttribute("value").ShouldBe("kept");
        page.Find("#f-lines").GetAttribute("value").ShouldBe("[1,");
    }

    [Fact]
    public void Another_kind_has_another_form_without_what_was_entered_or_wrong_before()
    {
        var page = RenderForm("test.order");
        page.Find("#f-count").Change("200");
        page.Find("form").Submit();
        page.WaitForAssertion(() => page.FindAll("p.error").ShouldNotBeEmpty(), Patience);

        page.Find("#kind").Change("test.simple");

        page.FindAll("p.error").ShouldBeEmpty();
        page.FindAll("#f-name").ShouldBeEmpty();
        page.Find("#f-count").GetAttribute("value").ShouldBeNullOrEmpty();
    }

    [Fact]
    public void Whoever_may_not_submit_has_no_form()
    {
        Visitor.Become("read");

        var page = RenderForm("test.order");

        page.FindAll("form").ShouldBeEmpty();
        page.Find(".empty").TextContent.ShouldContain("role submit");
    }

    private IRenderedComponent<SubmitPage> RenderForm(string kind)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo($"submit?kind={kind}");
        return Render<SubmitPage>();
    }

    [HeavyTaskKind("test.order", Description = "An order.")]
    internal sealed record Order
    {
        [Required, StringLength(10)]
        public required string Name { get; init; }

        [Range(1, 100)]
        public int Count { get; init; } = 1;

        public Shade Colour { get; init; }

        public bool IsDry { get; init; }

        public Guid? FileId { get; init; }

        public IReadOnlyList<int> Lines { get; init; } = [];

        public Place? To { get; init; }
    }

    [HeavyTaskKind("test.simple", Description = "Something simple.")]
    internal sealed record Simple
    {
        [Range(1, 100)]
        public int Count { get; init; } = 1;
    }

    internal enum Shade
    {
        Red,
        Green,
    }

    internal sealed record Place([property: StringLength(20)] string? Town = null);
}
