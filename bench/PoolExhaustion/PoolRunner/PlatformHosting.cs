namespace Platform.PoolRunner;

/// <summary>
/// The platform's API, unchanged, and a worker service. The same processes for all measurements: what one leaves behind would show in the
/// next. 15 connections: 4 of the API, 10 of the worker (8 slots and 2 for keeper, scheduler and relay), 1 for the worker's liveness lock.
/// </summary>
internal sealed class PlatformHosting(Installation installation, TimeProvider time) : Hosting("platform")
{
    private const int ApiConnections = 4;
    private const int Slots = 8;
    private const int Reserved = 2;

    private Service? api;
    private Service? worker;

    public override IReadOnlyDictionary<string, int> Limits { get; } =
        new Dictionary<string, int>
        {
            ["platform-api"] = ApiConnections,
            ["platform-worker"] = Slots + Reserved,
            ["platform-worker-liveness"] = 1,
        };

    public override TimeSpan DrainLimit => TimeSpan.FromMinutes(3);

    public override Uri Address => api!.Address;

    public override async Task StartAsync()
    {
        if (api is not null)
        {
            return;
        }

        api = await StartApiAsync(installation, ApiConnections, time);
        worker = await StartWorkerAsync(installation, Slots, Slots + Reserved, Reserved, time);
        using var client = new Client(Address);
        await client.WarmUpAsync(light: 100, heavy: 16);
        while (!await IsDrainedAsync(client))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time);
        }
    }

    public static Task<Service> StartApiAsync(Installation installation, int connections, TimeProvider time) =>
        Service.StartAsync("services/Api", "/health/ready", installation.With(("Database__MaxPoolSize", $"{connections}")), time);

    public static Task<Service> StartWorkerAsync(
        Installation installation,
        int slots,
        int connections,
        int reserved,
        TimeProvider time,
        params IEnumerable<(string Name, string Value)> more
    ) =>
        Service.StartAsync(
            "bench/PoolExhaustion/HoldingWorker",
            "/health/live",
            installation.With([
                ("Database__MaxPoolSize", $"{connections}"),
                ("Database__AcquireTimeout", "00:00:30"),
                ("HeavyTasks__ReservedConnections", $"{reserved}"),
                ("HeavyTasks__Kinds__users.statistics__Concurrency", $"{slots}"),
                .. more,
            ]),
            time
        );

    public override Task KillWebServiceAsync() => api!.KillAndStartAgainAsync("/health/live");

    public override async Task<bool> IsDrainedAsync(Client client) => await CountOpenTasksAsync(installation) == 0;

    public static Task<long> CountOpenTasksAsync(Installation installation) =>
        installation.ScalarAsync<long>("SELECT count(*) FROM heavy_tasks WHERE status IN ('Scheduled', 'Queued', 'Running')");

    public override Task<WorkCounts?> CountsAsync(Client client) => Task.FromResult<WorkCounts?>(null);

    public override Task StopAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        foreach (var service in new[] { worker, api })
        {
            if (service is not null)
            {
                await service.DisposeAsync();
            }
        }
    }
}
