using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Adds what the dashboard needs.</summary>
public static class DashboardServices
{
    /// <summary>
    /// Adds what <see cref="DashboardEndpoints.MapHeavyTaskDashboard"/> needs. Call it after
    /// <see cref="HeavyTaskEndpointServices.AddHeavyTaskEndpoints(IServiceCollection, Assembly[])"/>, whose kinds, files and policies the
    /// dashboard uses, and <see cref="HeavyTaskServiceCollectionExtensions.AddHeavyTaskDatabase{TDbContext}"/>, on whose pool it reads.
    /// </summary>
    public static IServiceCollection AddHeavyTaskDashboard(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddOptions<DashboardOptions>().BindConfiguration("Dashboard").ValidateDataAnnotations().ValidateOnStart();
        services
            .AddRazorComponents()
            .AddInteractiveServerComponents(circuits =>
            {
                // A page whose browser is gone reads on for as long.
                circuits.DisconnectedCircuitRetentionPeriod = TimeSpan.FromMinutes(1);

                // Of all clients together; the oldest is forgotten first, and its browser loads the page again.
                circuits.DisconnectedCircuitMaxRetained = 100;

                // A browser that is slow to answer gets no more until it has; the page is then shown as it is by that time.
                circuits.MaxBufferedUnacknowledgedRenderBatches = 10;
            })
            .AddHubOptions(hub =>
            {
                // Clicks and texts of forms; files come in pieces that are smaller.
                hub.MaximumReceiveMessageSize = 32 * 1024;
                hub.AddFilter<OpenViews>();
            });
        services.AddSingleton<OpenViews>();
        services.AddCascadingAuthenticationState();
        services.AddMudServices();
        services.AddSingleton<ThemeStyles>();
        services.AddSingleton<LiveReader>();
        services.AddSingleton<TaskEvents>();
        services.AddHostedService(provider => provider.GetRequiredService<TaskEvents>());
        services.AddSingleton<BrokerQueues>();
        services.AddSingleton<KeySessions>();
        services.AddSingleton<Failures>();
        services.AddScoped<Viewer>();
        services.AddScoped<Notices>();
        services.AddScoped<DashboardActions>();
        services.AddScoped<FaultActions>();
        services.AddScoped<KindActions>();
        services.AddScoped<WorkerActions>();
        services.AddScoped<SubmitActions>();
        return services;
    }

    /// <summary>The scheme of the cookie in which a session is kept; a scheme of single sign-on signs in to it.</summary>
    public const string SessionScheme = KeySessions.SchemeName;

    /// <summary>
    /// Lets people sign in to the dashboard with an API key (<see cref="ApiKeys"/>): the browser keeps a cookie, not the key. The page also
    /// offers each other scheme that has a display name, such as <c>AddOpenIdConnect</c>'s; it signs in to <see cref="SessionScheme"/>, with the
    /// claims of <see cref="IdentityProviderOptions.Read"/>. Protect the dashboard with <see cref="DashboardEndpoints.SignedIn"/> then. An
    /// application that knows its people otherwise leaves this out.
    /// </summary>
    public static IServiceCollection AddHeavyTaskDashboardSignIn(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddScoped<AuthenticationStateProvider, KeyAuthenticationState>();
        services
            .AddAuthentication()
            .AddCookie(
                KeySessions.SchemeName,
                cookie =>
                {
                    cookie.Cookie.Name = "heavy-tasks-dashboard";
                    cookie.Cookie.HttpOnly = true;
                    cookie.Cookie.SameSite = SameSiteMode.Lax;
                    cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                    cookie.ExpireTimeSpan = KeySessions.Length;
                    cookie.SlidingExpiration = false;
                    cookie.Events = new KeyCookieEvents();
                }
            );
        return services;
    }
}
