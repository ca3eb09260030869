using System.Collections.Concurrent;
using System.Diagnostics;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class TraceTests : WorkerTest
{
    private sealed record State(int Next);

    [Fact]
    public async Task Each_attempt_and_each_of_its_checkpoints_is_a_span()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Platform.HeavyTasks",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            await context.CheckpointAsync(new State(1));
            await context.CheckpointAsync(new State(2));
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("a secret");
            }
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 2);

        // Other tests run beside this one.
        Activity Attempt(int number) =>
            spans.Single(s =>
                Equals(s.GetTagItem("platform.heavy_task.id"), $"{task.Id}") && Equals(s.GetTagItem("platform.heavy_task.attempt"), number)
            );
        await Eventually.Async(
            () => spans.Count(s => Equals(s.GetTagItem("platform.heavy_task.id"), $"{task.Id}")) == 2,
            TimeSpan.FromSeconds(10)
        );
        Attempt(1).Status.ShouldBe(ActivityStatusCode.Error);
        Attempt(1).GetTagItem("error.type").ShouldBe("System.InvalidOperationException");
        Attempt(1).TagObjects.ShouldAllBe(tag => !$"{tag.Value}".Contains("secret"));
        Attempt(2).Status.ShouldBe(ActivityStatusCode.Unset);
        foreach (var attempt in (Activity[])[Attempt(1), Attempt(2)])
        {
            attempt.OperationName.ShouldStartWith("attempt ");
            spans.Count(s => s.OperationName == "checkpoint" && s.ParentSpanId == attempt.SpanId).ShouldBe(2);
        }
    }
}
