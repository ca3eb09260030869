using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Ends a session that began with a key.</summary>
internal static class SignOut
{
    public static async Task<IResult> HandleAsync(HttpContext http, IAntiforgery antiforgery, KeySessions sessions)
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return TypedResults.BadRequest();
        }

        sessions.SignOut(http.User);
        await http.SignOutAsync(KeySessions.SchemeName);
        return TypedResults.LocalRedirect($"{http.Request.PathBase}/sign-in");
    }
}
