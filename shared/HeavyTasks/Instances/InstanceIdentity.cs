namespace Platform.HeavyTasks;

/// <summary>Identifies this process from its start to its end.</summary>
/// <param name="Service">The name of the service.</param>
internal sealed record InstanceIdentity(string Service)
{
    /// <summary>The id of the process, new at every start. It is the owner of the tasks that the process claims.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    /// <summary>Host and process id, for people.</summary>
    public string Host { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>Version of the service.</summary>
    public string Version { get; } = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3) ?? "";
}
