using Microsoft.EntityFrameworkCore;
using Npgsql;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Hosts;

/// <summary>One step further: the work has a pool of its own, cut from the same total. Process and memory are still the requests'.</summary>
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
