using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>
/// One step further: the work has its own pool, cut from the same total. It still shares process and memory with the requests.
/// </summary>
internal sealed class OwnPool(string connectionString, int size) : IWorkHosting
{
    private readonly NpgsqlDataSource pool = Pools.Create(connectionString, "web-heavy", size);

    public Func<CancellationToken, Task> Prepare(IServiceProvider request, Guid id) =>
        async cancellationToken =>
        {
            await using var db = new PlatformDbContext(new DbContextOptionsBuilder<PlatformDbContext>().UseNpgsql(pool).Options);
            await db.Database.OpenConnectionAsync(cancellationToken);
            await HeavyWork.RunAsync(db, id, cancellationToken);
        };
}
