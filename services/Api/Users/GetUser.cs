using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks.Http;
using Platform.Persistence;

namespace Platform.Api.Users;

internal static class GetUser
{
    /// <summary>Returns one user by id.</summary>
    public static async Task<Results<Ok<UserResponse>, ProblemHttpResult>> HandleAsync(
        long id,
        HttpContext http,
        PlatformDbContext db,
        CancellationToken cancellationToken
    )
    {
        var user = await db
            .Users.AsNoTracking()
            .Of(HeavyTaskPolicies.TenantOf(http.User))
            .SingleOrDefaultAsync(u => u.Id == id, cancellationToken);
        return user is null
            ? TypedResults.Problem($"There is no user {id}.", statusCode: StatusCodes.Status404NotFound)
            : TypedResults.Ok(UserResponse.From(user));
    }
}

/// <summary>A user.</summary>
/// <param name="Id">The id that the platform assigned.</param>
/// <param name="ExternalId">The user's id in the source system; unique in its tenant.</param>
/// <param name="Name">The user's name.</param>
/// <param name="Email">The user's e-mail address.</param>
/// <param name="Country">The user's country.</param>
/// <param name="SignedUpAt">When the user signed up (UTC).</param>
internal sealed record UserResponse(long Id, string ExternalId, string Name, string? Email, string? Country, DateTime? SignedUpAt)
{
    public static UserResponse From(User user) => new(user.Id, user.ExternalId, user.Name, user.Email, user.Country, user.SignedUpAt);
}
