using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Hosts;

/// <summary>The request that should not notice the heavy work: one user by its id.</summary>
internal static class LightEndpoint
{
    public static async Task<IResult> HandleAsync(long id, PlatformDbContext db, CancellationToken cancellationToken) =>
        await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id, cancellationToken) is { } user
            ? Results.Ok(user)
            : Results.NotFound();
}
