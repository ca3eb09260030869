using Npgsql;
using Platform.Cli.Sizing;

namespace Platform.Runner.Pools;

/// <summary>
/// Runs settings that "platform size" could have printed, and some that it would not, and compares its prediction with the result.
/// </summary>
internal sealed class Sizing(Installation installation, PoolDatabase database, TimeProvider time)
{
    private const int Reserved = 2;

    private readonly TimeSpan load = TimeSpan.FromSeconds(installation.Options.Seconds);

    private static readonly SizingCase[] cases =
    [
        new("too few slots", 6, 0.5, 0.15, 1, 2),
        new("nearly all slots busy", 6, 0.5, 0.15, 1, 4),
        new("as sized, 70 % busy", 6, 0.5, 0.15, 1, 5),
        new("twice the slots", 6, 0.5, 0.15, 1, 8),
        new("too few slots", 12, 0.5, 0.15, 1, 5),
        new("as sized, 70 % busy", 12, 0.5, 0.15, 1, 9),
        new("as sized, two replicas", 12, 0.5, 0.15, 2, 5),
        new("pool of a third of the slots", 12, 0.5, 0.15, 1, 9, Connections: 3),
    ];

    public async IAsyncEnumerable<SizingResult> RunAsync()
    {
        await using var api = await PlatformHosting.StartApiAsync(installation, 5);
        using (var warm = new Client(api.Address))
        {
            // No tasks yet: before the first worker has declared its queue, their messages would have nowhere to go.
            await warm.WarmUpAsync(light: 50, heavy: 0);
        }

        foreach (var sizing in cases)
        {
            yield return await MeasureAsync(sizing, api);
        }
    }

    private async Task<SizingResult> MeasureAsync(SizingCase sizing, Service api)
    {
        var workers = new List<Service>();
        try
        {
            for (var i = 0; i < sizing.Replicas; i++)
            {
                workers.Add(
                    await PlatformHosting.StartWorkerAsync(
                        installation,
                        sizing.Concurrency,
                        sizing.Pool(Reserved),
                        Reserved,
                        ("HeavyTasks__PoolCheck", sizing.Connections is null ? "Error" : "Off"),
                        ("Work__Database", $"{TimeSpan.FromSeconds(sizing.Database)}"),
                        ("Work__Compute", $"{TimeSpan.FromSeconds(sizing.Run - sizing.Database)}")
                    )
                );
            }

            using var client = new Client(api.Address);
            await client.WarmUpAsync(light: 1, heavy: sizing.Concurrency * sizing.Replicas * 2);
            await DrainAsync();
            client.Accepted.Clear();
            var start = time.GetTimestamp();
            using var stopSampling = new CancellationTokenSource();
            var sampling = Task.Run(() => new Activity(database.Connections, time).SampleAsync(start, stopSampling.Token));
            await new OpenLoop(time, start).RunAsync(Arrivals(sizing.Rate, load.TotalSeconds), client.HeavyAsync, CancellationToken.None);
            await DrainAsync();
            await stopSampling.CancelAsync();
            var samples = await sampling;
            var (throughput, wait, waitP95) = await ReadAsync([.. client.Accepted]);
            var busy = samples
                .Where(s => s.Application == "platform-worker" && s.At <= load.TotalSeconds)
                .GroupBy(s => s.At)
                .Select(g => g.Sum(s => s.Busy))
                .DefaultIfEmpty(0)
                .Average();
            var line = new WaitingLine(sizing.Rate, TimeSpan.FromSeconds(sizing.Run), sizing.Concurrency * sizing.Replicas);
            return new SizingResult(
                sizing,
                Reserved,
                client.Accepted.Count,
                Math.Round(line.Throughput, 2),
                Math.Round(throughput, 2),
                Math.Round(line.MeanWaitInBurst(load, variation: 0).TotalMilliseconds),
                Math.Round(wait * 1000),
                Math.Round(waitP95 * 1000),
                Math.Round(line.Throughput * sizing.Database, 2),
                Math.Round(busy, 2)
            );
        }
        finally
        {
            foreach (var worker in workers)
            {
                await worker.KillAsync();
                await worker.DisposeAsync();
            }
        }
    }

    // Arrivals of independent clients: moments drawn evenly, which is a Poisson process of exactly this rate. The seed makes runs
    // comparable.
    private static IEnumerable<double> Arrivals(double rate, double seconds)
    {
        var random = new Random(42);
        return [.. Enumerable.Range(0, (int)Math.Round(rate * seconds)).Select(_ => random.NextDouble() * seconds).Order()];
    }

    private Task DrainAsync() =>
        Patience.WaitAsync(
            async () => !await database.HasOpenTasksAsync(),
            "end of the tasks",
            Patience.Limit,
            TimeSpan.FromMilliseconds(200)
        );

    // Throughput counts tasks that ended while others arrived, without the first quarter of the time, in which the slots fill.
    private async Task<(double Throughput, double Wait, double WaitP95)> ReadAsync(Guid[] ids)
    {
        var seconds = load.TotalSeconds;
        await using var command = database.Connections.CreateCommand(
            """
            WITH tasks AS (
                SELECT extract(epoch FROM started_at - queued_at)::float8 AS wait, finished_at, min(created_at) OVER () AS began FROM heavy_tasks WHERE id = ANY ($1))
            SELECT count(*) FILTER (WHERE extract(epoch FROM finished_at - began) BETWEEN $2 * 0.25 AND $2) / ($2 * 0.75),
                   avg(wait), percentile_disc(0.95) WITHIN GROUP (ORDER BY wait)
            FROM tasks
            """
        );
        command.Parameters.Add(new NpgsqlParameter { Value = ids });
        command.Parameters.Add(new NpgsqlParameter { Value = seconds });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetDouble(0), reader.GetDouble(1), reader.GetDouble(2));
    }
}

/// <param name="What">The name of the case, for people.</param>
/// <param name="Rate">Tasks per second.</param>
/// <param name="Run">How many seconds one task runs.</param>
/// <param name="Database">How many of these seconds it uses a connection.</param>
/// <param name="Replicas">The number of workers.</param>
/// <param name="Concurrency">The number of slots of a worker.</param>
/// <param name="Connections">The number of connections for tasks in a worker's pool; null for one per slot.</param>
internal sealed record SizingCase(
    string What,
    double Rate,
    double Run,
    double Database,
    int Replicas,
    int Concurrency,
    int? Connections = null
)
{
    public int Pool(int reserved) => (Connections ?? Concurrency) + reserved;
}

/// <param name="Case">The case that was run.</param>
/// <param name="Reserved">The number of connections of a worker's pool that are not for tasks.</param>
/// <param name="Tasks">The number of tasks accepted; all of them ended.</param>
/// <param name="PredictedThroughput">The predicted number of tasks per second.</param>
/// <param name="Throughput">The measured number of tasks per second.</param>
/// <param name="PredictedWait">The predicted mean wait from queued to started, in milliseconds.</param>
/// <param name="Wait">The measured mean wait.</param>
/// <param name="WaitP95">The measured 95th percentile of the wait.</param>
/// <param name="PredictedBusy">The predicted number of connections that tasks use at once on average.</param>
/// <param name="Busy">The measured number of busy connections of the workers, including those for claim, completion and keeper.</param>
internal sealed record SizingResult(
    SizingCase Case,
    int Reserved,
    int Tasks,
    double PredictedThroughput,
    double Throughput,
    double PredictedWait,
    double Wait,
    double WaitP95,
    double PredictedBusy,
    double Busy
);
