namespace Platform.Api.Users;

/// <summary>The light endpoints on the table that the heavy tasks work on: what must stay fast while they run.</summary>
internal static class UserEndpoints
{
    public static void MapUsers(this IEndpointRouteBuilder app)
    {
        var users = app.MapGroup("/users").WithTags("Users");
        users.MapGet("/{id:long}", GetUser.HandleAsync).WithName("GetUser").ProducesProblem(StatusCodes.Status404NotFound);
        users.MapGet("/", FindUser.HandleAsync).WithName("FindUser").ProducesProblem(StatusCodes.Status404NotFound);
    }
}
