namespace Platform.Runner.Pools;

/// <summary>
/// The platform's API, unchanged, and a worker service. All measurements use the same processes: what one measurement leaves behind would
/// show in the next. There are 15 connections: 4 for the API, 10 for the worker (8 slots, and 2 for keeper, scheduler and relay), and 1 for
/// the worker's liveness lock.
/// </summary>
internal sealed class PlatformHosting(Installation installation, PoolDatabase database) : Hosting("platform")
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
        if (api is null)
        {
            api = await StartApiAsync(installation, ApiConnections);
            worker = await StartWorkerAsync(installation, Slots, Slots + Reserved, Reserved);
            await WarmUpAsync(light: 100, heavy: 16);
        }
    }

    public static Task<Service> StartApiAsync(Installation installation, int connections) =>
        installation.StartApiAsync(installation.Platform, ("Database__MaxPoolSize", $"{connections}"));

    public static Task<Service> StartWorkerAsync(
        Installation installation,
        int slots,
        int connections,
        int reserved,
        params IEnumerable<(string Name, string Value)> more
    ) =>
        installation.StartAsync(
            installation.Platform,
            ["holding-worker"],
            [
                ("Database__MaxPoolSize", $"{connections}"),
                ("Database__AcquireTimeout", "00:00:30"),
                ("HeavyTasks__ReservedConnections", $"{reserved}"),
                ($"HeavyTasks__Kinds__{Installation.Kind}__Concurrency", $"{slots}"),
                .. more,
            ]
        );

    public override Task KillWebServiceAsync() => api!.KillAndStartAgainAsync();

    public override async Task<bool> IsDrainedAsync(Client client) => !await database.HasOpenTasksAsync();

    public override Task<WorkCounts?> CountsAsync(Client client) => Task.FromResult<WorkCounts?>(null);

    public override Task StopAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        foreach (var service in new[] { worker, api }.OfType<Service>())
        {
            await service.KillAsync();
            await service.DisposeAsync();
        }
    }
}
