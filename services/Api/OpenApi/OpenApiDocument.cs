using System.Text.Json.Serialization;
using Platform.HeavyTasks.Http;

namespace Platform.Api.OpenApi;

/// <summary>
/// The OpenAPI document at <c>/openapi/v1.json</c>, and in Development the page that reads it at <c>/swagger</c>; both then answer
/// everybody. Elsewhere the document needs a key, as everything does, and there is no page.
/// </summary>
internal static class OpenApiDocument
{
    // The page loads its own files and the document, and runs nothing else. Its components set styles of single elements, and the hash is of the
    // one style sheet that its script writes; another version of the package may have another.
    private const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; "
        + "style-src-attr 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

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

    /// <summary>Serves the page in Development. It comes before the authorization, which it does not need.</summary>
    public static void UseOpenApiPage(this WebApplication app)
    {
        if (app.Environment.IsDevelopment())
        {
            app.UseWhen(
                http => http.Request.Path.StartsWithSegments("/swagger", StringComparison.OrdinalIgnoreCase),
                page => page.Use(AddPageHeaders)
            );
            app.UseSwaggerUI(options =>
            {
                options.SwaggerEndpoint("/openapi/v1.json", "Platform");
                options.DocumentTitle = "Platform";
            });
        }
    }

    private static Task AddPageHeaders(HttpContext http, RequestDelegate next)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = PagePolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        return next(http);
    }

    /// <summary>Maps the document.</summary>
    public static void MapOpenApiDocument(this WebApplication app)
    {
        var document = app.MapOpenApi().AlsoHead().LimitRequests();
        if (app.Environment.IsDevelopment())
        {
            document.AllowAnonymous();
        }
        else
        {
            document.RequireAuthorization(HeavyTaskPolicies.AnyKey);
        }
    }
}
