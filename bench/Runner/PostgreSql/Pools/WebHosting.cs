namespace Platform.Runner.Pools;

/// <summary>The work runs in the web service, in a new process for every measurement.</summary>
internal sealed class WebHosting(string name, Installation installation, Activity activity) : Hosting(name)
{
    private const int HeavyConnections = 8;

    private Service? service;

    public override IReadOnlyDictionary<string, int> Limits { get; } =
        name == "own-pool"
            ? new Dictionary<string, int> { ["web"] = Exhaustion.Connections - HeavyConnections, ["web-heavy"] = HeavyConnections }
            : new Dictionary<string, int> { ["web"] = Exhaustion.Connections };

    // Leaked connections do not come back, so a longer look would only show more of the same.
    public override TimeSpan DrainLimit => Name == "captured" ? TimeSpan.FromSeconds(5) : TimeSpan.FromSeconds(45);

    public override Uri Address => service!.Address;

    public override async Task StartAsync()
    {
        service = await installation.StartAsync(
            installation.Platform,
            ["web", "--hosting", Name, "--connections", $"{Exhaustion.Connections}", "--heavy-connections", $"{HeavyConnections}"]
        );
        await WarmUpAsync(light: 100, heavy: Name is "scoped" or "own-pool" ? 10 : 0);
    }

    public override Task KillWebServiceAsync() => service!.KillAndStartAgainAsync();

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
            await service.KillAsync();
            await service.DisposeAsync();
            service = null;
        }
    }
}
