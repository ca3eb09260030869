using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Platform.Api.Problems;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Users;

internal static class FindUser
{
    /// <summary>A user by e-mail address. Addresses are not unique: of several users it is any one.</summary>
    /// <param name="email">The address, exactly as stored.</param>
    public static async Task<Results<Ok<UserResponse>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string? email,
        PlatformDbContext db,
        CancellationToken cancellationToken
    )
    {
        if (string.IsNullOrEmpty(email) || email.Length > User.MaxEmailLength || email.Any(char.IsControl))
        {
            var errors = new FieldErrors();
            errors.Add("email", $"An e-mail address is needed: 1 to {User.MaxEmailLength} characters, without control characters.");
            return errors.ToProblem();
        }

        // No order: with one, a table without statistics (fresh from an import) is read along its primary key instead of the index.
        var user = await db.Users.AsNoTracking().FirstOrDefaultAsync(u => u.Email == email, cancellationToken);
        return user is null
            ? TypedResults.Problem("There is no user with this e-mail address.", statusCode: StatusCodes.Status404NotFound)
            : TypedResults.Ok(UserResponse.From(user));
    }
}
