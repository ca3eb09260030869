namespace Platform.Runner.Pools;

/// <summary>
/// Puts the same load on every hosting: light requests all the time, and heavy tasks for a while. It watches until the work has ended.
/// </summary>
internal sealed class Exhaustion(Installation installation, PoolDatabase database, TimeProvider time)
{
    /// <summary>
    /// The total number of connections of every hosting. A task holds one for a second, so they can carry 15 tasks a second.
    /// </summary>
    public const int Connections = 15;

    private const double LightRate = 50;
    private const double SlowSeconds = 0.1;

    // How long light requests are watched after the work has ended, to see that they have recovered.
    private static readonly TimeSpan After = TimeSpan.FromSeconds(2);

    private readonly RunOptions options = installation.Options;
    private readonly Activity activity = new(database.Connections, time);

    public async IAsyncEnumerable<Cell> RunAsync()
    {
        foreach (var name in options.Hostings)
        {
            await using Hosting hosting =
                name == "platform" ? new PlatformHosting(installation, database) : new WebHosting(name, installation, activity);
            yield return await MeasureAsync(hosting, "idle", 0);
            foreach (var multiple in options.Multiples)
            {
                yield return await MeasureAsync(hosting, "load", multiple);
            }

            yield return await MeasureAsync(hosting, "kill", 2);
        }

        if (options.Hostings.Contains("captured"))
        {
            await using var disposed = new WebHosting("disposed", installation, activity);
            yield return await MeasureAsync(disposed, "load", 1);
        }
    }

    private async Task<Cell> MeasureAsync(Hosting hosting, string scenario, double multiple)
    {
        await hosting.StartAsync();
        await database.ExecuteAsync("TRUNCATE bench_writes");
        using var client = new Client(hosting.Address);
        using var heavyClient = new Client(hosting.Address);
        var heavyRate = multiple * Connections;
        var start = time.GetTimestamp();
        var loop = new OpenLoop(time, start);
        using var stopLight = new CancellationTokenSource();
        using var stopSampling = new CancellationTokenSource();
        using var stopHeavy = new CancellationTokenSource();
        var sampling = Task.Run(() => activity.SampleAsync(start, stopSampling.Token));
        var light = Task.Run(() => loop.RunAsync(LightRate, client.LightAsync, stopLight.Token));
        var heavy =
            multiple == 0
                ? Task.FromResult<Sample[]>([])
                : Task.Run(() => loop.RunAsync(heavyRate, heavyClient.HeavyAsync, stopHeavy.Token));
        await Task.Delay(TimeSpan.FromSeconds(options.Seconds / 2), time);
        if (scenario == "kill")
        {
            await hosting.KillWebServiceAsync();
        }

        await Task.Delay(TimeSpan.FromSeconds(options.Seconds / 2), time);
        await stopHeavy.CancelAsync();
        var loadEnd = time.GetElapsedTime(start).TotalSeconds;
        var sent = await heavy;
        var drained = await DrainAsync(hosting, client, start, loadEnd);
        await Task.Delay(After, time);
        await stopLight.CancelAsync();
        var answers = await light;
        await stopSampling.CancelAsync();
        var connections = await sampling;
        var written = await database.WrittenAsync();
        var slow = answers.Where(s => !s.Succeeded || s.Latency > SlowSeconds).Select(s => s.Due).DefaultIfEmpty(0).Max();
        var cell = new Cell
        {
            Hosting = hosting.Name,
            Scenario = scenario,
            Multiple = multiple,
            HeavyRate = heavyRate,
            LoadSeconds = Math.Round(loadEnd, 1),
            Light = Latency.Of([.. answers.Where(s => s.Due < loadEnd)]),
            LightAll = Latency.Of(answers),
            Sent = sent.Length,
            Accepted = heavyClient.Accepted.Count,
            Completed = heavyClient.Accepted.Count(written.Contains),
            Counts = await hosting.CountsAsync(client),
            DrainSeconds = drained,
            RecoverySeconds = slow >= answers[^1].Due - 1 ? null : Math.Round(Math.Max(0, slow - loadEnd), 1),
            MaxConnections = connections.GroupBy(s => s.Application).ToDictionary(g => g.Key, g => g.Max(s => s.Open)),
            Limits = hosting.Limits,
            Seconds = Second.Of(answers),
            Connections = scenario == "load" && multiple == options.Multiples[^1] ? connections : [],
        };
        await hosting.StopAsync();
        return cell;
    }

    private async Task<double?> DrainAsync(Hosting hosting, Client client, long start, double loadEnd)
    {
        double Since() => time.GetElapsedTime(start).TotalSeconds - loadEnd;
        while (Since() < hosting.DrainLimit.TotalSeconds)
        {
            if (await hosting.IsDrainedAsync(client))
            {
                return Math.Round(Since(), 1);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(250), time);
        }

        return null;
    }
}
