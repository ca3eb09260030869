using Platform.Contracts;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

/// <summary>A kind whose handler does what the test says.</summary>
[HeavyTaskKind("test.kind")]
public sealed record TestParameters(string Text = "");

public sealed class TestHandler(PlatformDbContext db, TestScript script) : HeavyTaskHandler<TestParameters>
{
    public override Task RunAsync(HeavyTaskContext<TestParameters> context) => script.Run(context, db);
}

/// <summary>What <see cref="TestHandler"/> does; a test may replace it between attempts.</summary>
public sealed class TestScript
{
    private int runs;

    public Func<HeavyTaskContext<TestParameters>, PlatformDbContext, Task> Work { get; set; } = (_, _) => Task.CompletedTask;

    public int Runs => Volatile.Read(ref runs);

    public Task Run(HeavyTaskContext<TestParameters> context, PlatformDbContext db)
    {
        Interlocked.Increment(ref runs);
        return Work(context, db);
    }
}
