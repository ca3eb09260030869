namespace Platform.Runner.Throughput;

/// <summary>
/// Measures one task at a time on an idle system, up to the first line of the handler: from the sending of the request, and from the
/// arrival of the 202 (which may be less than zero, because the task is published before the answer is written). For comparison, it
/// measures the bare endpoint that publishes, and the bare call of Publish itself.
/// </summary>
internal static class LatencySection
{
    private const int WarmUp = 100;

    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var api = await installation.StartApiAsync(installation.Platform);
        await using var worker = await installation.StartWorkerAsync();
        await using var publisher = await installation.StartBareAsync();
        await using var consumer = await installation.StartBareConsumerAsync();
        await installation.Platform.Database.ResetAsync();
        var load = Conditions.Load();
        Report.Note($"latency: load average {load}");
        using var limit = new CancellationTokenSource(Patience.Limit);
        var tasks = new List<Single>();
        var messages = new List<Single>();
        using var apiConnection = await HttpConnection.OpenAsync(api.Address);
        using var bareConnection = await HttpConnection.OpenAsync(publisher.Address);
        var request = HttpConnection.Request(api.Address, "/heavy-tasks", Subjects.Json(Installation.Kind));
        var bareRequest = HttpConnection.Request(publisher.Address, "/messages", Subjects.Json(Subjects.BareKind));
        var count = WarmUp + installation.Options.Singles;
        var cpu = await installation.StartCpuAsync(("api", api), ("worker", worker), ("publisher", publisher), ("consumer", consumer));
        for (var i = 0; i < count; i++)
        {
            tasks.Add(await SubmitAsync(apiConnection, request, limit.Token));
            messages.Add(await SubmitAsync(bareConnection, bareRequest, limit.Token));
        }

        var elsewhere = cpu.Stop(count).Elsewhere;
        await installation.Platform.Database.WaitForUsersAsync(2 * count);
        var starts = await installation.Platform.Database.StartsAsync();
        report.Add(Summarize("platform", tasks, starts) with { LoadBefore = load, Elsewhere = elsewhere });
        report.Add(Summarize(Measurement.Bare, messages, starts) with { LoadBefore = load, Elsewhere = elsewhere });
    }

    private static async Task<Single> SubmitAsync(HttpConnection connection, byte[] request, CancellationToken cancellationToken)
    {
        var sent = TimeProvider.System.GetTimestamp();
        var response = (await connection.PostAsync(request, cancellationToken, keep: true))!;
        var received = TimeProvider.System.GetTimestamp();

        // Long enough for the task to end, and not always the same, so that it does not fall into step with anything periodic.
        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(25, 45)), TimeProvider.System, CancellationToken.None);
        return new Single(
            Field(response, "id")!,
            sent,
            received,
            Field(response, "publishedAt") is { } publishedAt ? long.Parse(publishedAt) : null
        );
    }

    private static Measurement Summarize(string subject, List<Single> singles, Dictionary<string, long> starts)
    {
        var measured = singles.Skip(WarmUp).Select(single => (Single: single, Start: starts[single.Id])).ToList();
        var milliseconds = new Dictionary<string, double>();
        Add("202 to start", s => s.Received);
        Add("request to start", s => s.Sent);
        if (measured[0].Single.PublishedAt is not null)
        {
            Add("Publish to start", s => s.PublishedAt!.Value);
        }

        return new Measurement("latency", subject, 1, PerSecond: null) { Milliseconds = milliseconds };

        void Add(string name, Func<Single, long> from)
        {
            var sorted = measured
                .Select(m => TimeProvider.System.GetElapsedTime(from(m.Single), m.Start).TotalMilliseconds)
                .Order()
                .ToArray();
            milliseconds[$"{name}, p50"] = Statistics.Percentile(sorted, 0.50);
            milliseconds[$"{name}, p99"] = Statistics.Percentile(sorted, 0.99);
        }
    }

    private static string? Field(string json, string name)
    {
        var start = json.IndexOf($"\"{name}\":", StringComparison.Ordinal);
        return start < 0 ? null : json[(start + name.Length + 3)..].Split(',', '}')[0].Trim('"');
    }

    private sealed record Single(string Id, long Sent, long Received, long? PublishedAt);
}
