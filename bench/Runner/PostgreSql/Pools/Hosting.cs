namespace Platform.Runner.Pools;

/// <summary>One way to host the work, with its processes.</summary>
internal abstract class Hosting(string name) : IAsyncDisposable
{
    public string Name { get; } = name;

    /// <summary>The number of connections that each application may hold.</summary>
    public abstract IReadOnlyDictionary<string, int> Limits { get; }

    /// <summary>The longest time for which the work is watched after the last task has arrived.</summary>
    public abstract TimeSpan DrainLimit { get; }

    /// <summary>The web service's address.</summary>
    public abstract Uri Address { get; }

    /// <summary>Starts the processes, anew for each measurement if one could spoil the next.</summary>
    public abstract Task StartAsync();

    /// <summary>Sends requests before the measurement; returns when their work has ended.</summary>
    protected async Task WarmUpAsync(int light, int heavy)
    {
        using var client = new Client(Address);
        await client.WarmUpAsync(light, heavy);
        await Patience.WaitAsync(() => IsDrainedAsync(client), "end of the work", Patience.Limit, TimeSpan.FromMilliseconds(100));
    }

    /// <summary>Kills the web service with SIGKILL and starts it again.</summary>
    public abstract Task KillWebServiceAsync();

    /// <summary>Whether no accepted work is still waiting or running.</summary>
    public abstract Task<bool> IsDrainedAsync(Client client);

    /// <summary>The failures that the service remembers; null if the rows of the tasks record them.</summary>
    public abstract Task<WorkCounts?> CountsAsync(Client client);

    /// <summary>Ends the processes of <see cref="StartAsync"/>, if each measurement has its own.</summary>
    public abstract Task StopAsync();

    public abstract ValueTask DisposeAsync();
}
