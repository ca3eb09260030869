namespace Platform.ThroughputRunner;

/// <summary>Measures the subjects of a section in turn, round after round, so that what the machine does beside hits all alike.</summary>
internal static class Rounds
{
    /// <summary>
    /// How many times as long as a measured one the round is that is not recorded: until the just-in-time compiler is done, which at
    /// first takes as much processor time as the work.
    /// </summary>
    public const int WarmUp = 3;

    /// <summary>One round that is not recorded, because it is the one in which code is compiled and pools fill, then the measured ones.</summary>
    /// <param name="section">Name of the section.</param>
    /// <param name="rounds">How many are measured.</param>
    /// <param name="report">Where they go.</param>
    /// <param name="subjects">What is measured, given the number of the round.</param>
    public static async Task RunAsync(
        string section,
        int rounds,
        Report report,
        params IReadOnlyList<Func<int, Task<Measurement>>> subjects
    )
    {
        for (var round = 0; round <= rounds; round++)
        {
            // Every other round backwards: nobody profits from always being the first.
            foreach (var measure in round % 2 == 0 ? subjects : subjects.Reverse())
            {
                var load = Measurement.Load1();
                Report.Note($"{section}, {(round == 0 ? "warming up" : $"round {round} of {rounds}")}: load average {load}");
                var measurement = await measure(round);
                if (round > 0)
                {
                    report.Add(measurement with { LoadBefore = load });
                }
            }
        }
    }
}
