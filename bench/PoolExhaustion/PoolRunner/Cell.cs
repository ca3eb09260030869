namespace Platform.PoolRunner;

/// <summary>The result of one measurement.</summary>
internal sealed record Cell
{
    /// <summary>How the work was hosted.</summary>
    public required string Hosting { get; init; }

    /// <summary><c>idle</c>, <c>load</c> or <c>kill</c>.</summary>
    public required string Scenario { get; init; }

    /// <summary>Heavy load in multiples of what the connections can carry.</summary>
    public required double Multiple { get; init; }

    /// <summary>Tasks per second sent.</summary>
    public required double HeavyRate { get; init; }

    /// <summary>How long they were sent, in seconds.</summary>
    public required double LoadSeconds { get; init; }

    /// <summary>Light requests while tasks arrived.</summary>
    public required Latency Light { get; init; }

    /// <summary>Light requests from the first task to the end of the last, or to the end of the observation.</summary>
    public required Latency LightAll { get; init; }

    /// <summary>Tasks sent.</summary>
    public required int Sent { get; init; }

    /// <summary>Answered with 202.</summary>
    public required int Accepted { get; init; }

    /// <summary>Of these: wrote their row.</summary>
    public required int Completed { get; init; }

    /// <summary>Of these: will never, or still wait in the memory of the process at the end of the observation.</summary>
    public int Missing => Accepted - Completed;

    /// <summary>Failures that the service remembers.</summary>
    public WorkCounts? Counts { get; init; }

    /// <summary>From the last arrival until all accepted work had ended, in seconds; null: not in the time it was watched.</summary>
    public double? DrainSeconds { get; init; }

    /// <summary>From the last arrival until the last light request that was slower than 100 ms or failed, in seconds; null: they still were at the end.</summary>
    public double? RecoverySeconds { get; init; }

    /// <summary>Most connections that each application held at once.</summary>
    public required IReadOnlyDictionary<string, int> MaxConnections { get; init; }

    /// <summary>Connections that each application may hold.</summary>
    public required IReadOnlyDictionary<string, int> Limits { get; init; }

    /// <summary>Light requests second by second.</summary>
    public required IReadOnlyList<Second> Seconds { get; init; }

    /// <summary>Connections, every 200 ms.</summary>
    public required IReadOnlyList<ActivitySample> Connections { get; init; }
}

/// <summary>Latencies in milliseconds; those of failed requests count too.</summary>
internal sealed record Latency(int Requests, int Errors, double P50, double P95, double P99, double Max)
{
    public static Latency Of(IReadOnlyCollection<Sample> samples)
    {
        var sorted = samples.Select(s => s.Latency * 1000).Order().ToArray();
        return new Latency(
            sorted.Length,
            samples.Count(s => !s.Succeeded),
            Percentile(sorted, 0.5),
            Percentile(sorted, 0.95),
            Percentile(sorted, 0.99),
            Percentile(sorted, 1)
        );
    }

    // Nearest rank: a value that was measured.
    public static double Percentile(double[] sorted, double share) =>
        sorted.Length == 0 ? 0 : Math.Round(sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)], 2);
}

/// <param name="At">Begin of the second.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="Max">Milliseconds.</param>
/// <param name="Errors">Requests that failed.</param>
internal sealed record Second(int At, double P50, double Max, int Errors)
{
    public static IReadOnlyList<Second> Of(IEnumerable<Sample> samples) =>
        [
            .. samples
                .GroupBy(s => (int)s.Due)
                .OrderBy(g => g.Key)
                .Select(g => (g.Key, Latency: Latency.Of([.. g])))
                .Select(g => new Second(g.Key, g.Latency.P50, g.Latency.Max, g.Latency.Errors)),
        ];
}
