namespace Platform.ThroughputRunner;

/// <summary>
/// Counted: answers with 202 to POST /heavy-tasks of the real API (task and outbox row committed; its relay publishes meanwhile, on
/// the same machine). Bare limit: an endpoint that reads the same body and inserts one row as wide with Entity Framework.
/// </summary>
internal static class AcceptSection
{
    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var api = await installation.StartApiAsync();
        await using var bare = await installation.StartBareAsync();
        await using var prepared = await installation.StartPreparedBareAsync();
        await Rounds.RunAsync(
            installation.Options.Rounds,
            report,
            round => MeasureAsync(installation, "platform", round, api, "/heavy-tasks"),
            round => MeasureAsync(installation, Measurement.Bare, round, bare, "/rows"),
            round => MeasureAsync(installation, Measurement.PreparedBare, round, prepared, "/rows"));
    }

    private static async Task<Measurement> MeasureAsync(Installation installation, string subject, int round, Service service, string path)
    {
        var options = installation.Options;
        await installation.Database.ResetAsync();
        var cpu = await installation.CpuAsync(("service", service));
        var before = cpu.Read();
        var json = Installation.Json(Installation.Kind);
        var load = round == 0
            ? await HttpLoad.RunAsync(service.Address, path, json, options.Connections, Rounds.WarmUp * options.Tasks)
            : await HttpLoad.RunAsync(service.Address, path, json, options.Connections, TimeSpan.FromSeconds(options.Seconds));
        var perOperation = cpu.PerOperation(before, load.Latencies.Length);
        await installation.Database.WaitForEmptyOutboxAsync();
        await installation.Broker.PurgeAsync(Installation.Queue(Installation.Kind));
        return new Measurement("accept", subject, round, load.PerSecond)
        {
            Milliseconds = new() { ["p50"] = load.Percentile(0.50), ["p99"] = load.Percentile(0.99) },
            CpuMicroseconds = perOperation,
        };
    }
}
