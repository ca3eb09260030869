namespace Platform.Hosts;

/// <summary>Where heavy work gets its context from.</summary>
internal interface IWorkHosting
{
    /// <summary>Called in the request; returns what runs after it.</summary>
    Func<CancellationToken, Task> Prepare(IServiceProvider request, Guid id);
}
