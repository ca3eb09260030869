namespace Platform.HeavyTasks;

/// <summary>Who this process is, from its start to its end.</summary>
/// <param name="Service">Name of the service.</param>
internal sealed record InstanceIdentity(string Service)
{
    /// <summary>New at every process start; the owner of the tasks that the process claims.</summary>
    public Guid Id { get; } = Guid.CreateVersion7();

    /// <summary>Host and process id, for people.</summary>
    public string Host { get; } = $"{Environment.MachineName}:{Environment.ProcessId}";

    /// <summary>Version of the service.</summary>
    public string Version { get; } = System.Reflection.Assembly.GetEntryAssembly()?.GetName().Version?.ToString(3) ?? "";
}
