namespace Platform.Faults.Tests;

/// <summary>
/// Faults of every kind, in random order at random moments, while tasks come in. Then the system must become quiet by itself, with nothing
/// lost, nothing done twice and nothing failed. <c>bench/run-faults.sh</c> does the same for long.
/// </summary>
public sealed class FaultTests
{
    private const double PerSecond = 60;

    [Fact]
    public Task Processes_may_end_or_stand_still_at_any_moment() => SurviveAsync(Fault.OfProcesses);

    [Fact]
    public Task The_broker_may_fail_at_any_moment() => SurviveAsync(Fault.OfTheBroker);

    [Fact]
    public Task The_database_may_fail_at_any_moment() => SurviveAsync(Fault.OfTheDatabase);

    [Fact]
    public Task The_network_may_fail_at_any_moment() => SurviveAsync(Fault.OfTheNetwork);

    private static async Task SurviveAsync(IReadOnlyList<Fault> faults)
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var run = await FaultRun.RunAsync(
            [.. faults.Select(fault => fault with { Times = 1 })],
            faults.Count,
            PerSecond,
            seed,
            TestContext.Current.TestOutputHelper.WriteLine
        );
        run.Accepted.ShouldBeGreaterThan(0);
    }
}
