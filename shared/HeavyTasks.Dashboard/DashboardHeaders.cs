using Microsoft.AspNetCore.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Tells browsers that pages load nothing from anywhere else, run no script but their own files, and stand in no frame.</summary>
internal static class DashboardHeaders
{
    // Components set styles of single elements, such as the width of a bar; elements with whole style sheets are refused.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
        + "connect-src 'self'; form-action 'self'; base-uri 'self'; frame-ancestors 'none'";

    public static void Add(HttpContext http) =>
        http.Response.OnStarting(() =>
        {
            var headers = http.Response.Headers;
            headers.ContentSecurityPolicy = Policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            return Task.CompletedTask;
        });
}
