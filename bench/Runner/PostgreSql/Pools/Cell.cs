namespace Platform.Runner.Pools;

/// <summary>The result of one measurement.</summary>
internal sealed record Cell
{
    /// <summary>How the work was hosted.</summary>
    public required string Hosting { get; init; }

    /// <summary><c>idle</c>, <c>load</c> or <c>kill</c>.</summary>
    public required string Scenario { get; init; }

    /// <summary>The heavy load, as a multiple of what the connections can carry.</summary>
    public required double Multiple { get; init; }

    /// <summary>How many tasks were sent per second.</summary>
    public required double HeavyRate { get; init; }

    /// <summary>How long they were sent, in seconds.</summary>
    public required double LoadSeconds { get; init; }

    /// <summary>Light requests while tasks arrived.</summary>
    public required Latency Light { get; init; }

    /// <summary>Light requests from the first task to the end of the last, or to the end of the observation.</summary>
    public required Latency LightAll { get; init; }

    /// <summary>How many tasks were sent.</summary>
    public required int Sent { get; init; }

    /// <summary>How many tasks were answered with 202.</summary>
    public required int Accepted { get; init; }

    /// <summary>How many of these wrote their row.</summary>
    public required int Completed { get; init; }

    /// <summary>
    /// How many of these did not, and never will, or still wait in the memory of the process at the end of the observation.
    /// </summary>
    public int Missing => Accepted - Completed;

    /// <summary>Failures that the service remembers.</summary>
    public WorkCounts? Counts { get; init; }

    /// <summary>The seconds from the last arrival until all accepted work had ended; null if it did not end while it was watched.</summary>
    public double? DrainSeconds { get; init; }

    /// <summary>
    /// The seconds from the last arrival until the last light request that took longer than 100 ms or failed; null if they still did at the
    /// end.
    /// </summary>
    public double? RecoverySeconds { get; init; }

    /// <summary>The most connections that each application held at once.</summary>
    public required IReadOnlyDictionary<string, int> MaxConnections { get; init; }

    /// <summary>The number of connections that each application may hold.</summary>
    public required IReadOnlyDictionary<string, int> Limits { get; init; }

    /// <summary>Light requests second by second.</summary>
    public required IReadOnlyList<Second> Seconds { get; init; }

    /// <summary>The number of connections, every 200 ms.</summary>
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
            Percentile(0.5),
            Percentile(0.95),
            Percentile(0.99),
            Percentile(1)
        );

        double Percentile(double share) => sorted.Length == 0 ? 0 : Math.Round(Statistics.Percentile(sorted, share), 2);
    }
}

/// <param name="At">The beginning of the second.</param>
/// <param name="P50">The median in milliseconds.</param>
/// <param name="Max">The maximum in milliseconds.</param>
/// <param name="Errors">How many requests failed.</param>
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
