using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Dashboard;
using Platform.Support;

namespace Platform.Dashboard.Tests.Components;

/// <summary>A page that is left early leaves nothing behind.</summary>
public sealed class LeavingTests : ComponentTest
{
    [Fact]
    public async Task A_page_that_is_left_while_it_asks_whether_it_may_look_leaves_no_reader_behind()
    {
        Visitor.Become("read");
        Visitor.Hide();
        var page = Render<WorkersPage>();
        var reader = Services.GetRequiredService<LiveReader>();
        reader.Count.ShouldBe(0);
        var begun = 0;

        await DisposeComponentsAsync();
        Visitor.Reveal();

        await Eventually.Async(
            () =>
            {
                begun = Math.Max(begun, reader.Count);
                return begun == 1 && reader.Count == 0;
            },
            Patience,
            "it has begun to look, and has ended"
        );
        page.IsDisposed.ShouldBeTrue();
    }
}
