using Platform.HeavyTasks.Http;

namespace Platform.Api.Users;

/// <summary>The light endpoints on the table that heavy tasks work on: they must stay fast while heavy tasks run.</summary>
internal static class UserEndpoints
{
    public static IServiceCollection AddUserEndpoints(this IServiceCollection services) =>
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<WholeIdConstraint>(WholeIdConstraint.Name));

    public static void MapUsers(this IEndpointRouteBuilder app)
    {
        var users = app.MapGroup("/users")
            .WithTags("Users")
            .RequireAuthorization(HeavyTaskPolicies.Read)
            .ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .LimitRequests();
        users
            .MapGet($"/{{id:{WholeIdConstraint.Name}}}", GetUser.HandleAsync)
            .WithName("GetUser")
            .AlsoHead()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status500InternalServerError)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
        users
            .MapGet("/", FindUser.HandleAsync)
            .WithName("FindUser")
            .AddOpenApiOperationTransformer(FindUser.DescribeAsync)
            .AlsoHead()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status500InternalServerError)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);
    }
}
