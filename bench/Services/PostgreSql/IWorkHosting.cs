namespace Platform.Services;

/// <summary>Decides where heavy work gets its context.</summary>
internal interface IWorkHosting
{
    /// <summary>Called during the request; returns the work that runs after it.</summary>
    Func<CancellationToken, Task> Prepare(IServiceProvider request, Guid id);
}
