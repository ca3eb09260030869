namespace Platform.Faults.Tests;

/// <summary>One run of a system with faults, from its start to its ledger.</summary>
internal static class FaultRun
{
    /// <param name="faults">The faults, in random order, each as often as it says.</param>
    /// <param name="count">How many faults in all.</param>
    /// <param name="perSecond">How many tasks are submitted per second.</param>
    /// <param name="seed">Repeats the same faults with the same pauses.</param>
    /// <param name="write">Receives a line for each fault.</param>
    public static async Task<Ledger> RunAsync(IReadOnlyList<Fault> faults, int count, double perSecond, int seed, Action<string> write)
    {
        var random = new Random(seed);
        var start = TimeProvider.System.GetTimestamp();
        await using var system = await FaultSystem.StartAsync(seed, perSecond);
        try
        {
            await PauseAsync(random);
            foreach (var fault in Order(faults, count, random))
            {
                write($"{TimeProvider.System.GetElapsedTime(start):mm\\:ss} {fault.Name} ({system.Load.Accepted.Count} accepted)");
                await fault.InjectAsync(system, random);
                await PauseAsync(random);
            }

            var ledger = await Ledger.CheckAsync(system);
            write($"{TimeProvider.System.GetElapsedTime(start):mm\\:ss} {ledger}");
            return ledger;
        }
        catch (Exception exception)
        {
            write(system.Describe());
            throw new InvalidOperationException($"Seed {seed}: {exception.Message}", exception);
        }
    }

    private static IEnumerable<Fault> Order(IReadOnlyList<Fault> faults, int count, Random random)
    {
        var round = faults.SelectMany(fault => Enumerable.Repeat(fault, fault.Times)).ToArray();
        for (var done = 0; done < count; done += round.Length)
        {
            random.Shuffle(round);
            foreach (var fault in round.Take(count - done))
            {
                yield return fault;
            }
        }
    }

    private static Task PauseAsync(Random random) =>
        Task.Delay(TimeSpan.FromSeconds(0.5 + (random.NextDouble() * 3)), TimeProvider.System, TestContext.Current.CancellationToken);
}
