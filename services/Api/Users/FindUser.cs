using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.OpenApi;
using Platform.HeavyTasks.Http;
using Platform.Persistence;

namespace Platform.Api.Users;

internal static class FindUser
{
    /// <summary>Finds a user by e-mail address. Addresses are not unique: if several users share one, any of them is returned.</summary>
    /// <param name="email">The e-mail address, exactly as stored.</param>
    public static async Task<Results<Ok<UserResponse>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string? email,
        HttpRequest request,
        PlatformDbContext db,
        CancellationToken cancellationToken
    )
    {
        // Of two values in the query the framework makes one, with a comma between them.
        if (
            string.IsNullOrEmpty(email)
            || email.Length > User.MaxEmailLength
            || email.Any(c => char.IsControl(c))
            || request.Query["email"].Count > 1
        )
        {
            var error = $"One e-mail address is needed: 1 to {User.MaxEmailLength} characters, without control characters.";
            return TypedResults.ValidationProblem([KeyValuePair.Create("email", new[] { error })], title: "The request is not valid.");
        }

        // No ORDER BY: with one, the server reads a table without statistics (fresh from an import) along its primary key, not by the
        // index.
        var user = await db
            .Users.AsNoTracking()
            .Of(HeavyTaskPolicies.TenantOf(request.HttpContext.User))
            .FirstOrDefaultAsync(u => u.Email == email, cancellationToken);
        return user is null
            ? TypedResults.Problem("There is no user with this e-mail address.", statusCode: StatusCodes.Status404NotFound)
            : TypedResults.Ok(UserResponse.From(user));
    }

    /// <summary>Says that an address is needed; the handler checks it itself.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            parameter.Required = true;
            parameter.Example = "ada@example.org";
        }

        return Task.CompletedTask;
    }
}
