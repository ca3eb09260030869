namespace Platform.Api.OpenApi;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c> and the page that reads it at <c>/swagger</c>.</summary>
internal static class OpenApiDocument
{
    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services) =>
        services.AddOpenApi(options =>
            options.AddDocumentTransformer(
                (document, _, _) =>
                {
                    document.Info.Title = "Platform";
                    document.Info.Description =
                        "Accepts heavy tasks, says how they stand, and hands out their results. Every error is application/problem+json.";

                    // Behind a proxy the address of this process means nothing to the reader.
                    document.Servers?.Clear();
                    return Task.CompletedTask;
                }
            )
        );

    public static void MapOpenApiDocument(this WebApplication app)
    {
        app.MapOpenApi();
        app.UseSwaggerUI(options =>
        {
            options.SwaggerEndpoint("/openapi/v1.json", "Platform");
            options.DocumentTitle = "Platform";
        });
    }
}
