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
        HttpContext http,
        EngineContext engine,
        KnownKeys known,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        var db = engine.Db;
        var key = await db.ApiKeys.SingleOrDefaultAsync(k => k.Id == id, cancellationToken);
        if (key?.RevokedAt is null)
        {
            db.Record(Actor.Of(http), id, key is null ? AuditOutcome.NotFound : AuditOutcome.Done);
        }

        key?.RevokedAt ??= time.GetUtcNow().UtcDateTime;
        try
        {
            await db.SaveChangesAsync(CancellationToken.None);
        }
        finally
        {
            // Also when the answer to the commit was lost.
            known.Forget(id);
        }

        if (key is null)
        {
            return TypedResults.Problem("There is no such key.", statusCode: StatusCodes.Status404NotFound);
        }

        return TypedResults.NoContent();
    }
}
