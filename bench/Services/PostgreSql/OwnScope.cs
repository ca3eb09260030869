using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>
/// The right way inside one process: the work opens and disposes its own scope. It still shares its connections with the requests.
/// </summary>
internal sealed class OwnScope : IWorkHosting
{
    public Func<CancellationToken, Task> Prepare(IServiceProvider request, Guid id)
    {
        var scopes = request.GetRequiredService<IServiceScopeFactory>();
        return async cancellationToken =>
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
            await db.Database.OpenConnectionAsync(cancellationToken);
            await HeavyWork.RunAsync(db, id, cancellationToken);
        };
    }
}
