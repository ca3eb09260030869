namespace Platform.Api.Services;

/// <summary>Routes of <c>/services</c>.</summary>
internal static class ServiceEndpoints
{
    public static void MapServices(this IEndpointRouteBuilder app) =>
        app.MapGet("/services", ListServices.HandleAsync)
            .WithTags("Services")
            .WithName("ListServices")
            .WithSummary("The living instances of every service with their pools, and the budget of connections.");
}
