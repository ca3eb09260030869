namespace Platform.Runner.Throughput;

/// <summary>Measures the subjects of a section in turn, round after round, so that other load on the machine affects all alike.</summary>
internal static class Rounds
{
    /// <summary>
    /// How many times as long as a measured round the warm-up round is. It must last until the just-in-time compiler is done, which at
    /// first takes as much processor time as the work.
    /// </summary>
    public const int WarmUp = 3;

    /// <summary>Runs one round that is not recorded, in which code is compiled and pools fill, and then the measured rounds.</summary>
    /// <param name="section">The name of the section.</param>
    /// <param name="rounds">The number of measured rounds.</param>
    /// <param name="report">Records the measurements.</param>
    /// <param name="subjects">The measurements, each given the number of the round.</param>
    public static async Task RunAsync(
        string section,
        int rounds,
        Report report,
        params IReadOnlyList<Func<int, Task<Measurement>>> subjects
    )
    {
        for (var round = 0; round <= rounds; round++)
        {
            // Every other round runs backwards, so that no subject profits from always being the first.
            foreach (var measure in round % 2 == 0 ? subjects : subjects.Reverse())
            {
                var load = Conditions.Load();
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
