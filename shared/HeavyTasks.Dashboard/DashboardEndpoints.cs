using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Maps the dashboard.</summary>
public static class DashboardEndpoints
{
    /// <summary>
    /// A policy that lets in whoever signed in and may read (<see cref="DashboardServices.AddHeavyTaskDashboardSignIn"/>).
    /// </summary>
    public static AuthorizationPolicy SignedIn { get; } =
        new AuthorizationPolicyBuilder(KeySessions.SchemeName).RequireClaim(HeavyTaskPolicies.RoleClaim, "read").Build();

    // What the page where one signs in loads.
    private static readonly string[] OpenPaths =
    [
        "sign-in",
        "sign-in/with/{scheme}",
        "_content/{**path}",
        "_framework/{**path}",
        "theme.css",
    ];

    /// <summary>
    /// Maps the dashboard below a path, in any application and for whomever the application lets in:
    /// <c>app.MapHeavyTaskDashboard("/tasks").RequireAuthorization(...)</c>. What somebody may do there is decided by the
    /// <see cref="HeavyTaskPolicies"/>, action by action. Call it once.
    /// </summary>
    /// <param name="app">The application, or a group of its endpoints without a prefix.</param>
    /// <param name="path">The path, such as <c>/tasks</c>; <c>/</c> for the whole application.</param>
    /// <exception cref="InvalidOperationException">The services that the dashboard needs were not added.</exception>
    public static IEndpointConventionBuilder MapHeavyTaskDashboard(this IEndpointRouteBuilder app, string path)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(path);
        if (app.ServiceProvider.GetService<ThemeStyles>() is null)
        {
            throw new InvalidOperationException($"{nameof(MapHeavyTaskDashboard)} needs services.AddHeavyTaskDashboard().");
        }

        var prefix = new DashboardPrefix($"/{path.Trim('/')}".TrimEnd('/'));

        // Pages find each other by paths from the root, wherever that is: so the dashboard is a small application of its own below the path.
        var pages = app.CreateApplicationBuilder();
        pages.Use(
            (http, next) =>
            {
                http.SetEndpoint(null);
                http.Request.RouteValues.Clear();
                DashboardHeaders.Add(http);
                return next(http);
            }
        );
        pages.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = AnswerFailureAsync });
        pages.UsePathBase(prefix.Path);
        pages.UseRouting();
        pages.UseAntiforgery();
        pages.Use((http, next) => http.RequestServices.GetRequiredService<OpenViews>().AnswerAsync(http, next));
        pages.UseEndpoints(endpoints =>
        {
            endpoints.MapStaticAssets();
            endpoints.MapGet("/theme.css", (ThemeStyles styles) => styles.AnswerAsync());
            endpoints.MapGet("/download/{id:guid}", ResultDownload.HandleAsync);
            endpoints.MapPost("/sign-out", SignOut.HandleAsync);
            endpoints.MapGet("/sign-in/with/{scheme}", SignInWith.HandleAsync);
            endpoints
                .MapRazorComponents<App>()
                .AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null)
                .WithMetadata(new DashboardView());
        });
        var serve = pages.Build();
        foreach (var open in OpenPaths)
        {
            app.Map($"{prefix.Path}/{open}", serve).WithMetadata(prefix).AllowAnonymous().ExcludeFromDescription();
        }

        return app.Map($"{prefix.Path}/{{**path}}", serve).LimitRequests().WithMetadata(prefix).ExcludeFromDescription();
    }

    // The framework logs what happened.
    private static Task AnswerFailureAsync(HttpContext http)
    {
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync("This page has failed; the log of the dashboard says why. Load it again.");
    }
}

/// <summary>The path of the dashboard, without a slash at its end; empty for the root.</summary>
internal sealed record DashboardPrefix(string Path);
