using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Sends somebody to another place to sign in: a scheme of the application that has a display name.</summary>
internal static class SignInWith
{
    public static async Task<IResult> HandleAsync(string scheme, string? returnUrl, HttpContext http, IAuthenticationSchemeProvider schemes)
    {
        if (await schemes.GetSchemeAsync(scheme) is not { DisplayName: not null })
        {
            return TypedResults.NotFound();
        }

        var target = ReturnAddress.Of(returnUrl, http.Request.PathBase);
        return TypedResults.Challenge(new AuthenticationProperties { RedirectUri = target }, [scheme]);
    }
}

/// <summary>Where somebody goes after signing in.</summary>
internal static class ReturnAddress
{
    /// <summary>The address that was asked for, if it is a page of this dashboard; else its first page.</summary>
    public static string Of(string? wanted, PathString root) =>
        // "//host" and "/\\host" are other sites for a browser.
        wanted is ['/', ..] and not ['/', '/' or '\\', ..]
        && wanted.StartsWith(root + "/", StringComparison.Ordinal)
            ? wanted
            : root + "/";
}
