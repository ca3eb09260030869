using System.Globalization;

namespace Platform.Faults.Tests;

/// <summary>
/// Faults of all kinds in random order, in runs of about 40 with a ledger after each, until there were enough. Only
/// <c>bench/run-faults.sh</c> runs it.
/// </summary>
public sealed class LongRun
{
    private const int FaultsPerRun = 40;

    [Fact(Explicit = true, Timeout = 12 * 60 * 60 * 1000)]
    public async Task Everything_may_fail_for_long()
    {
        var (count, perSecond, seed) = (Setting("FAULTS", 500), Setting("TASKS_PER_SECOND", 200), Setting("SEED", Environment.TickCount));
        Action<string> write = TestContext.Current.TestOutputHelper!.WriteLine;
        var only = Environment.GetEnvironmentVariable("FAULTS_ONLY") ?? "";
        Fault[] faults = [.. Fault.All.Where(fault => fault.Name.Contains(only, StringComparison.OrdinalIgnoreCase))];
        write($"{count} faults of {faults.Length} kinds, {perSecond} tasks/s, seed {seed}");
        var injected = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var ledgers = new List<Ledger>();
        for (var done = 0; done < count; done += FaultsPerRun)
        {
            var number = Math.Min(FaultsPerRun, count - done);
            ledgers.Add(await FaultRun.RunAsync(faults, number, perSecond, seed + ledgers.Count, Write));
            write($"{done + number} of {count} faults, {ledgers.Sum(l => l.Accepted)} tasks");
        }

        write("| fault | times |");
        write("| --- | ---: |");
        foreach (var (name, times) in injected)
        {
            write($"| {name} | {times} |");
        }

        write(
            $"| all | {injected.Values.Sum()} |\n\n{ledgers.Sum(l => l.Accepted)} tasks accepted, {ledgers.Sum(l => l.Effects)} effects, each once; "
                + $"{ledgers.Sum(l => l.Attempts)} attempts, {ledgers.Sum(l => l.Crashes)} of them crashed; 0 lost, 0 twice, 0 failed. "
                + $"{Describe([.. ledgers.SelectMany(l => l.Revivals)])} "
                + $"Quiet after {ledgers.Max(l => l.Quiet).TotalSeconds:N0} s at the latest."
        );

        void Write(string line)
        {
            write(line);
            if (Fault.All.FirstOrDefault(f => line.Contains($" {f.Name} (", StringComparison.Ordinal)) is { } fault)
            {
                injected[fault.Name] = injected.GetValueOrDefault(fault.Name) + 1;
            }
        }
    }

    private static string Describe(List<Revival> revivals) =>
        revivals.Count == 0
            ? "No task of a killed worker ran."
            : $"The {revivals.Count} tasks of killed workers were queued again after {Times(revivals.Select(r => r.TakenOver))}, "
                + $"and ran again after {Times(revivals.Select(r => r.RunAgain))}.";

    private static string Times(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return $"{At(sorted, 0.5):0.0} s (median), {At(sorted, 0.95):0.0} s (p95), {At(sorted, 1):0.0} s (all)";
    }

    private static double At(List<TimeSpan> sorted, double share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1].TotalSeconds;

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable($"FAULTS_{name}") is { Length: > 0 } text
            ? int.Parse(text, CultureInfo.InvariantCulture)
            : otherwise;
}
