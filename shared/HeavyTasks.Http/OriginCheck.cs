using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Refuses requests that write and come from a page of another origin. Browsers send such a request without asking first when it looks like
/// that of a form, and whatever guards the address (a network, a cookie) lets it pass. The page that sent it cannot hide that: browsers add
/// <c>Sec-Fetch-Site</c> (to addresses that they trust, such as https and loopback) and <c>Origin</c>, and no script can change them.
/// </summary>
internal static class OriginCheck
{
    /// <summary>Checks the origin before the endpoint reads anything of the request.</summary>
    public static TBuilder RefuseForeignOrigins<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = http =>
                Writes(http.Request) && IsForeign(http, out var origin) ? RefuseAsync(http, origin) : next(http);
        });
        return endpoints;
    }

    private static bool Writes(HttpRequest request) => !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);

    private static bool IsForeign(HttpContext http, [NotNullWhen(true)] out string? origin)
    {
        var headers = http.Request.Headers;
        origin = $"{headers.Origin}";
        var site = headers["Sec-Fetch-Site"];
        if (StringValues.IsNullOrEmpty(site) ? IsOwn(http.Request, origin) : $"{site}" is "same-origin" or "none")
        {
            return false;
        }

        return !http.RequestServices.GetRequiredService<IOptions<AllowedOriginsOptions>>().Value.Contains(origin);
    }

    // Without the scheme: it is not the client's where a proxy ends TLS.
    private static bool IsOwn(HttpRequest request, string origin) =>
        origin.Length == 0
        || Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && uri.Host.Equals(request.Host.Host, StringComparison.OrdinalIgnoreCase)
            && uri.Port == (request.Host.Port ?? (uri.IsDefaultPort ? uri.Port : -1));

    private static Task RefuseAsync(HttpContext http, string origin) =>
        TypedResults
            .Problem(
                statusCode: StatusCodes.Status403Forbidden,
                detail: $"A page of another origin ({(origin.Length == 0 ? "unknown" : LoggedText.Of(origin))}) may not write here. "
                    + "HeavyTasks:AllowedOrigins names the origins that may."
            )
            .ExecuteAsync(http);
}
