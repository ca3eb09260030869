using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Users;

internal static class GetUser
{
    /// <summary>One user by id.</summary>
    public static async Task<Results<Ok<UserResponse>, ProblemHttpResult>> HandleAsync(
        long id,
        PlatformDbContext db,
        CancellationToken cancellationToken
    )
    {
        var user = await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id, cancellationToken);
        return user is null
            ? TypedResults.Problem($"There is no user {id}.", statusCode: StatusCodes.Status404NotFound)
            : TypedResults.Ok(UserResponse.From(user));
    }
}

/// <summary>A user.</summary>
/// <param name="Id">Given by the platform.</param>
/// <param name="ExternalId">The id at the source; unique.</param>
/// <param name="Name">Name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Country">Country.</param>
/// <param name="SignedUpAt">When they signed up (UTC).</param>
internal sealed record UserResponse(long Id, string ExternalId, string Name, string? Email, string? Country, DateTime? SignedUpAt)
{
    public static UserResponse From(User user) => new(user.Id, user.ExternalId, user.Name, user.Email, user.Country, user.SignedUpAt);
}
