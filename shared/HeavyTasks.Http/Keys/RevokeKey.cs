using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class RevokeKey
{
    /// <summary>
    /// Revokes a key. It stops working at once on this instance, and within ten seconds on every other. Its row stays, so that one sees whose
    /// it was.
    /// </summary>
    public static async Task<Results<NoContent, ProblemHttpResult>> HandleAsync(
        string id,
        EngineContext engine,
        KnownKeys known,
        CancellationToken cancellationToken
    )
    {
        var exists = await engine.Db.ApiKeys.AnyAsync(k => k.Id == id, cancellationToken);
        if (!exists)
        {
            return TypedResults.Problem("There is no such key.", statusCode: StatusCodes.Status404NotFound);
        }

        await engine
            .Db.ApiKeys.Where(k => k.Id == id && k.RevokedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, _ => DatabaseClock.UtcNow()), CancellationToken.None);
        known.Forget();
        return TypedResults.NoContent();
    }
}
