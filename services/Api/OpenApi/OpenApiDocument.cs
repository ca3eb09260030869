using System.Text.Json.Serialization;
using Platform.HeavyTasks.Http;

namespace Platform.Api.OpenApi;

/// <summary>The OpenAPI document at <c>/openapi/v1.json</c> and the page that reads it at <c>/swagger</c>.</summary>
internal static class OpenApiDocument
{
    public static IServiceCollection AddOpenApiDocument(this IServiceCollection services)
    {
        // A number is written as a number. By default the document would also allow a string of digits.
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);
        return services.AddOpenApi(options =>
            options.AddDocumentTransformer(
                (document, _, _) =>
                {
                    document.Info.Title = "Platform";
                    document.Info.Description =
                        "Accepts heavy tasks, reports their status, and serves their results. Every error is application/problem+json.";

                    // Behind a proxy the reader cannot use the address of this process.
                    document.Servers?.Clear();
                    return Task.CompletedTask;
                }
            )
        );
    }

    public static void MapOpenApiDocument(this WebApplication app)
    {
        app.MapOpenApi().AlsoHead();
        app.UseSwaggerUI(options =>
        {
            options.SwaggerEndpoint("/openapi/v1.json", "Platform");
            options.DocumentTitle = "Platform";
        });
    }
}
