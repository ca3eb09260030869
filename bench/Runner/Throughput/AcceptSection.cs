namespace Platform.Runner.Throughput;

/// <summary>
/// Counts answers with 202 to POST /heavy-tasks of the real API (task and outbox row are committed; meanwhile the relay publishes on the
/// same machine). Bare limit: an endpoint that reads the same body and inserts one equally wide row with Entity Framework.
/// </summary>
internal static class AcceptSection
{
    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var bare = await installation.StartBareAsync();
        await using var tuned = await installation.StartTunedBareAsync();
        await using var platform = await installation.StartApiAsync(installation.Platform);
        await using var other = installation.MassTransit is { } massTransit ? await installation.StartApiAsync(massTransit) : null;
        await Rounds.RunAsync(
            "accept",
            installation.Options.Rounds,
            report,
            [
                round => MeasureAsync(installation, "platform", round, platform, "/heavy-tasks"),
                round => MeasureAsync(installation, Measurement.Bare, round, bare, "/rows"),
                round => MeasureAsync(installation, DatabaseKind.TunedBare, round, tuned, "/rows"),
                .. other is null
                    ? Array.Empty<Func<int, Task<Measurement>>>()
                    : [round => MeasureAsync(installation, $"platform{other.Variant.Name}", round, other, "/heavy-tasks")],
            ]
        );
    }

    private static async Task<Measurement> MeasureAsync(Installation installation, string subject, int round, Service service, string path)
    {
        var options = installation.Options;
        await service.Variant.Database.ResetAsync();
        var cpu = await installation.StartCpuAsync(("service", service));
        var json = Subjects.Json(Installation.Kind);
        var load =
            round == 0
                ? await HttpLoad.RunAsync(service, path, json, options.Connections, Rounds.WarmUp * options.Tasks)
                : await HttpLoad.RunAsync(service, path, json, options.Connections, TimeSpan.FromSeconds(options.Seconds));
        var used = cpu.Stop(load.Latencies.Length);
        await service.Variant.Database.WaitForEmptyOutboxAsync();
        await installation.Broker.PurgeAsync(Subjects.Queue(Installation.Kind));
        return new Measurement("accept", subject, round, load.PerSecond)
        {
            Milliseconds = new() { ["p50"] = load.Percentile(0.50), ["p99"] = load.Percentile(0.99) },
            CpuMicroseconds = used.Microseconds,
            Elsewhere = used.Elsewhere,
        };
    }
}
