using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>The heavy work: reads users, keeps its connection busy for a second, writes one row.</summary>
internal static class HeavyWork
{
    private const int Users = 200;

    public static async Task RunAsync(PlatformDbContext db, Guid id, CancellationToken cancellationToken)
    {
        var users = await db.Users.AsNoTracking().OrderBy(u => u.Id).Take(Users).ToListAsync(cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_sleep(1)", cancellationToken);
        await db.Database.ExecuteSqlAsync($"INSERT INTO bench_writes (id, users) VALUES ({id}, {users.Count})", cancellationToken);
    }
}
