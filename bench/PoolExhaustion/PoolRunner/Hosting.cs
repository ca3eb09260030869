namespace Platform.PoolRunner;

/// <summary>One way to host the work, as processes.</summary>
internal abstract class Hosting(string name) : IAsyncDisposable
{
    public string Name { get; } = name;

    /// <summary>Connections that each application may hold.</summary>
    public abstract IReadOnlyDictionary<string, int> Limits { get; }

    /// <summary>How long after the last task arrived the work is watched at most.</summary>
    public abstract TimeSpan DrainLimit { get; }

    /// <summary>The web service's address.</summary>
    public abstract Uri Address { get; }

    /// <summary>Fresh where one measurement could spoil the next.</summary>
    public abstract Task StartAsync();

    /// <summary>SIGKILL for the web service, and start it again.</summary>
    public abstract Task KillWebServiceAsync();

    /// <summary>Whether nothing that was accepted is still waiting or running.</summary>
    public abstract Task<bool> IsDrainedAsync(Client client);

    /// <summary>What the service remembers of failures; null where tasks have rows that tell.</summary>
    public abstract Task<WorkCounts?> CountsAsync(Client client);

    /// <summary>Ends what <see cref="StartAsync"/> started, where each measurement has its own.</summary>
    public abstract Task StopAsync();

    public abstract ValueTask DisposeAsync();
}
