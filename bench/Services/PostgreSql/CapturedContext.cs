using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>
/// The usual "repair" of <see cref="DisposedContext"/>, and the one that takes the service down: the context comes from a scope that
/// outlives the request, and nobody disposes it. The work needs one connection for all its statements, so it opens the connection; only
/// disposing the context would close it.
/// </summary>
internal sealed class CapturedContext : IWorkHosting
{
    public Func<CancellationToken, Task> Prepare(IServiceProvider request, Guid id)
    {
        var scope = request.GetRequiredService<IServiceScopeFactory>().CreateScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        return async cancellationToken =>
        {
            await db.Database.OpenConnectionAsync(cancellationToken);
            await HeavyWork.RunAsync(db, id, cancellationToken);
        };
    }
}
