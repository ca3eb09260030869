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

    [Fact]
    public async Task What_was_left_while_it_waited_for_its_turn_is_not_read()
    {
        var (busy, left) = (new Slow(), new Slow());
        var reader = Services.GetRequiredService<LiveReader>();
        var looks = Enumerable.Range(0, 3).Select(i => reader.Begin(new SlowQuery(busy, i), () => { })).ToList();
        await Eventually.Async(() => busy.Reads == looks.Count, Patience);
        var look = reader.Begin(new SlowQuery(left, 0), () => { });

        look.Dispose();
        busy.End.SetResult();

        await look.FirstRead.WaitAsync(Patience, Xunit.TestContext.Current.CancellationToken);
        left.Reads.ShouldBe(0);
        looks.ForEach(other => other.Dispose());
        await Eventually.Async(() => reader.Count == 0, Patience);
    }

    [Fact]
    public async Task What_is_left_during_its_first_read_is_read_no_more()
    {
        var slow = new Slow();
        var reader = Services.GetRequiredService<LiveReader>();
        var look = reader.Begin(new SlowQuery(slow, 0), () => { });
        await Eventually.Async(() => slow.Reads == 1, Patience);

        look.Dispose();
        slow.End.SetResult();

        await Eventually.Async(() => reader.Count == 0, Patience);
        slow.Reads.ShouldBe(1);
    }

    private sealed class Slow
    {
        private int reads;

        public TaskCompletionSource End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Reads => Volatile.Read(ref reads);

        public async Task<string> ReadAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref reads);
            await End.Task.WaitAsync(cancellationToken);
            return "read";
        }
    }

    private sealed record SlowQuery(Slow Slow, int Number) : ILiveQuery<string>
    {
        public Task<string> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken) => Slow.ReadAsync(cancellationToken);
    }
}
