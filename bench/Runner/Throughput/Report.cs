using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Platform.Runner.Throughput;

/// <summary>One measured round.</summary>
/// <param name="Section">The section: accept, drain, sustained, relay or latency.</param>
/// <param name="Subject">What was measured. "bare" is the limit that the others are compared with.</param>
/// <param name="Round">The number of the round, from 1; a round measures each subject once.</param>
/// <param name="PerSecond">Operations per second; null where only latencies are measured.</param>
internal sealed record Measurement(string Section, string Subject, int Round, double? PerSecond)
{
    public const string Bare = "bare";

    /// <summary>Latencies in milliseconds by name: p50, p99.</summary>
    public Dictionary<string, double>? Milliseconds { get; init; }

    /// <summary>Processor time of each process for one operation, in microseconds.</summary>
    public Dictionary<string, double>? CpuMicroseconds { get; init; }

    /// <summary>The load of the machine before the round.</summary>
    public double LoadBefore { get; init; }

    /// <summary>The share of the machine's processors that others used during the round.</summary>
    public double Elsewhere { get; init; }

    /// <summary>Whether others used so much that the figure cannot be trusted.</summary>
    public bool BesideOtherLoad => Elsewhere > 0.1;
}

/// <summary>Writes every measurement as a line of JSON, and a table at the end.</summary>
internal sealed class Report : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly Dictionary<(string Section, string Subject), double> Targets = new()
    {
        [("accept", "platform")] = 0.60,
        [("drain", "platform")] = 0.40,
        [("sustained", "platform")] = 0.35,
        [("relay", "backlog")] = 0.80,
    };

    private readonly List<Measurement> measurements = [];
    private readonly List<string> failures = [];
    private readonly string folder;
    private readonly StreamWriter lines;

    public Report(string folder)
    {
        this.folder = folder;
        Directory.CreateDirectory(folder);
        lines = new StreamWriter(Path.Combine(folder, "throughput.jsonl")) { AutoFlush = true };
    }

    public bool HasFailures => failures.Count > 0;

    /// <summary>Writes a note for people who watch the run.</summary>
    public static void Note(string text) => Console.Error.WriteLine($"{TimeProvider.System.GetLocalNow():HH:mm:ss} {text}");

    /// <summary>Records a section that did not finish. What it measured before still counts.</summary>
    public void Fail(string section, Exception exception)
    {
        failures.Add($"**{section} failed:** {exception.Message.Split('\n')[0]}");
        Write(new { section, failed = exception.ToString() });
    }

    public void Write(object line)
    {
        var json = JsonSerializer.Serialize(line, Json);
        lines.WriteLine(json);
        Console.WriteLine(json);
    }

    public void Add(Measurement measurement)
    {
        measurements.Add(measurement);
        Write(measurement);
    }

    /// <summary>Writes and prints the table.</summary>
    public async Task WriteTableAsync(string conditions)
    {
        var text = new StringBuilder(conditions).AppendLine().AppendLine();
        failures.ForEach(failure => text.AppendLine(failure).AppendLine());
        WriteRates(text);
        WriteLatencies(text);
        WriteCpu(text);
        Console.WriteLine();
        Console.WriteLine(text);
        await File.WriteAllTextAsync(Path.Combine(folder, "throughput.md"), text.ToString());
    }

    public ValueTask DisposeAsync() => lines.DisposeAsync();

    private void WriteRates(StringBuilder text)
    {
        text.AppendLine(
            $"| section | subject | per second: median (min..max) | of bare: median (min..max) | target | of {DatabaseKind.TunedBare} | rounds beside other load |"
        );
        text.AppendLine("|---|---|---|---|---|---|---|");
        foreach (var subject in measurements.Where(m => m.PerSecond is not null).GroupBy(m => (m.Section, m.Subject)))
        {
            var rates = subject.Select(m => m.PerSecond!.Value).ToList();
            var ratios = RatiosTo(Measurement.Bare, subject);
            var target = Targets.TryGetValue(subject.Key, out var least)
                ? $"≥ {least:P0}: {(Statistics.Median(ratios) >= least ? "met" : "**missed**")}"
                : "";
            text.AppendLine(
                $"| {subject.Key.Section} | {subject.Key.Subject} | {Statistics.Median(rates):N0} ({rates.Min():N0}..{rates.Max():N0}) "
                    + $"| {Spread(ratios)} | {target} | {Spread(RatiosTo(DatabaseKind.TunedBare, subject))} | {Disturbed(subject)} |"
            );
        }

        text.AppendLine();
    }

    private void WriteLatencies(StringBuilder text)
    {
        text.AppendLine("| section | subject | latency | median of rounds (min..max) | rounds beside other load |")
            .AppendLine("|---|---|---|---|---|");
        foreach (var subject in measurements.Where(m => m.Milliseconds is not null).GroupBy(m => (m.Section, m.Subject)))
        {
            foreach (var name in subject.First().Milliseconds!.Keys)
            {
                var values = subject.Select(m => m.Milliseconds![name]).ToList();
                text.AppendLine(
                    $"| {subject.Key.Section} | {subject.Key.Subject} | {name} | {Statistics.Median(values):N2} ms ({values.Min():N2}..{values.Max():N2}) | {Disturbed(subject)} |"
                );
            }
        }

        text.AppendLine();
    }

    private void WriteCpu(StringBuilder text)
    {
        text.AppendLine("| section | subject | processor time of one operation, µs (median) |").AppendLine("|---|---|---|");
        foreach (var subject in measurements.Where(m => m.CpuMicroseconds is not null).GroupBy(m => (m.Section, m.Subject)))
        {
            var roles = subject
                .First()
                .CpuMicroseconds!.Keys.Select(role => $"{role} {Statistics.Median(subject.Select(m => m.CpuMicroseconds![role])):N0}");
            text.AppendLine($"| {subject.Key.Section} | {subject.Key.Subject} | {string.Join(", ", roles)} |");
        }
    }

    private static string Disturbed(IEnumerable<Measurement> rounds) =>
        rounds.Count(m => m.BesideOtherLoad) is > 0 and var count ? $"**{count} of {rounds.Count()}**" : "";

    private static string Spread(List<double> ratios) =>
        ratios.Count == 0 ? "" : $"{Statistics.Median(ratios):P0} ({ratios.Min():P0}..{ratios.Max():P0})";

    private List<double> RatiosTo(string limit, IEnumerable<Measurement> rounds)
    {
        var ratios = new List<double>();
        foreach (var round in rounds)
        {
            if (
                round.Subject is not (Measurement.Bare or DatabaseKind.TunedBare)
                && measurements.Find(m => m.Section == round.Section && m.Round == round.Round && m.Subject == limit) is { } bare
            )
            {
                ratios.Add(round.PerSecond!.Value / bare.PerSecond!.Value);
            }
        }

        return ratios;
    }
}
