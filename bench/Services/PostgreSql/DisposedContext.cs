using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>
/// The first mistake: the work keeps the request's own context. The framework disposes the context with the request, so the work fails with
/// an ObjectDisposedException that nobody sees.
/// </summary>
internal sealed class DisposedContext : IWorkHosting
{
    public Func<CancellationToken, Task> Prepare(IServiceProvider request, Guid id)
    {
        var db = request.GetRequiredService<PlatformDbContext>();
        return async cancellationToken => await HeavyWork.RunAsync(db, id, cancellationToken);
    }
}
