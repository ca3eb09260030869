using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Ends a session with its key, and sends whoever has none to the page where one signs in.</summary>
internal sealed class KeyCookieEvents : CookieAuthenticationEvents
{
    public override async Task ValidatePrincipal(CookieValidatePrincipalContext context)
    {
        var sessions = context.HttpContext.RequestServices.GetRequiredService<KeySessions>();
        if (context.Principal is null || !await sessions.IsValidAsync(context.Principal, unknown: true, context.HttpContext.RequestAborted))
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(KeySessions.SchemeName);
        }
    }

    public override Task RedirectToLogin(RedirectContext<CookieAuthenticationOptions> context)
    {
        var request = context.Request;
        var prefix = context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<DashboardPrefix>()?.Path ?? "";
        if (!HttpMethods.IsGet(request.Method) || request.Path.StartsWithSegments($"{prefix}/_blazor", StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        }

        var wanted = $"{request.PathBase}{request.Path}{request.QueryString}";
        context.Response.Redirect($"{request.PathBase}{prefix}/sign-in?returnUrl={Uri.EscapeDataString(wanted)}");
        return Task.CompletedTask;
    }

    public override Task RedirectToAccessDenied(RedirectContext<CookieAuthenticationOptions> context)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            var prefix = context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<DashboardPrefix>()?.Path ?? "";
            context.Response.Redirect($"{context.Request.PathBase}{prefix}/sign-in?refused=role");
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        }

        return Task.CompletedTask;
    }

    /// <summary>Begins a session, however somebody has signed in.</summary>
    public override Task SigningIn(CookieSigningInContext context)
    {
        var sessions = context.HttpContext.RequestServices.GetRequiredService<KeySessions>();
        if (context.Principal?.Identity is System.Security.Claims.ClaimsIdentity identity)
        {
            sessions.Begin(identity, context.Properties.ExpiresUtc);
        }

        return Task.CompletedTask;
    }
}
