using Microsoft.AspNetCore.Builder;

namespace Platform.ServiceDefaults;

/// <summary>
/// Tells browsers what an answer is not: no page, nothing to guess a type for, nothing to put into a frame. Results have the type that a
/// client uploaded or a handler chose, and no browser is to run them.
/// </summary>
public static class SecurityHeaders
{
    /// <summary>Adds the headers to every answer of what comes after this, also to errors.</summary>
    public static IApplicationBuilder UseSecurityHeaders(this IApplicationBuilder app) =>
        app.Use(
            (http, next) =>
            {
                // When the answer starts, because the handler of exceptions clears what was set before.
                http.Response.OnStarting(() =>
                {
                    var headers = http.Response.Headers;
                    headers.XContentTypeOptions = "nosniff";
                    headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";
                    headers["Referrer-Policy"] = "no-referrer";
                    return Task.CompletedTask;
                });
                return next(http);
            }
        );
}
