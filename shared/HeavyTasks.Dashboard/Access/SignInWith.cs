using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Sends somebody to another place to sign in: a scheme of the application that has a display name.</summary>
internal static partial class SignInWith
{
    public static async Task<IResult> HandleAsync(
        string scheme,
        string? returnUrl,
        HttpContext http,
        IAuthenticationSchemeProvider schemes,
        ILogger<SignIn> logger
    )
    {
        if (await schemes.GetSchemeAsync(scheme) is not { DisplayName: not null })
        {
            return TypedResults.NotFound();
        }

        var target = ReturnAddress.Of(returnUrl, http.Request.PathBase);
        try
        {
            await http.ChallengeAsync(scheme, new AuthenticationProperties { RedirectUri = target });
            return TypedResults.Empty;
        }
        catch (Exception exception) when (!http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested)
        {
            // The provider is asked first where people sign in.
            NotReached(logger, scheme, exception);
            return TypedResults.LocalRedirect($"{http.Request.PathBase}/sign-in?refused=away");
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Nobody can sign in with {Scheme} at the moment.")]
    private static partial void NotReached(ILogger logger, string scheme, Exception exception);
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
