namespace Platform.PoolRunner;

/// <summary>The work runs in the web service; a new process for every measurement.</summary>
internal sealed class WebHosting(string name, Installation installation, Activity activity, TimeProvider time) : Hosting(name)
{
    private const string Project = "bench/PoolExhaustion/Hosts";
    private const string Probe = "/users/1";
    private const int HeavyConnections = 8;

    private Service? service;

    public override IReadOnlyDictionary<string, int> Limits { get; } =
        name == "own-pool"
            ? new Dictionary<string, int> { ["web"] = RunOptions.Connections - HeavyConnections, ["web-heavy"] = HeavyConnections }
            : new Dictionary<string, int> { ["web"] = RunOptions.Connections };

    // Leaked connections do not come back: looking longer would only show more of the same.
    public override TimeSpan DrainLimit => Name == "captured" ? TimeSpan.FromSeconds(5) : TimeSpan.FromSeconds(45);

    public override Uri Address => service!.Address;

    public override async Task StartAsync()
    {
        service = await Service.StartAsync(
            Project,
            Probe,
            installation.Settings,
            time,
            "--hosting",
            Name,
            "--connections",
            $"{RunOptions.Connections}",
            "--heavy-connections",
            $"{HeavyConnections}"
        );
        using var client = new Client(Address);
        await client.WarmUpAsync(light: 100, heavy: Name is "scoped" or "own-pool" ? 10 : 0);
        while (!await IsDrainedAsync(client))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), time);
        }
    }

    public override Task KillWebServiceAsync() => service!.KillAndStartAgainAsync("/counts");

    public override async Task<bool> IsDrainedAsync(Client client) =>
        await client.CountsAsync() is var counts && counts.Completed + counts.Failed >= counts.Accepted;

    public override async Task<WorkCounts?> CountsAsync(Client client) => await client.CountsAsync();

    public override async Task StopAsync()
    {
        await DisposeAsync();
        await activity.AwaitNoneAsync([.. Limits.Keys]);
    }

    public override async ValueTask DisposeAsync()
    {
        if (service is not null)
        {
            await service.DisposeAsync();
            service = null;
        }
    }
}
