using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>The request that must not notice the heavy work: reads one user by id.</summary>
internal static class LightEndpoint
{
    public static async Task<IResult> HandleAsync(long id, PlatformDbContext db, CancellationToken cancellationToken) =>
        await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id, cancellationToken) is { } user
            ? Results.Ok(user)
            : Results.NotFound();
}
