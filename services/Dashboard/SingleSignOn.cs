using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Platform.HeavyTasks.Dashboard;
using Platform.HeavyTasks.Http;

namespace Platform.Dashboard;

/// <summary>
/// Lets people sign in at an OpenID Connect provider, where one is configured (section <c>OpenIdConnect</c>). A session lasts an hour, because
/// nobody tells when an account was closed at the provider; whoever is still signed in there begins another one without a password.
/// </summary>
internal static class SingleSignOn
{
    private static readonly TimeSpan Length = TimeSpan.FromHours(1);

    public static void AddSingleSignOn(this WebApplicationBuilder builder)
    {
        var provider = builder.Configuration.GetSection("OpenIdConnect").Get<IdentityProviderOptions>() ?? new IdentityProviderOptions();
        if (provider.Authority is null)
        {
            return;
        }

        provider.Check();
        var clientId =
            provider.ClientId
            ?? throw new InvalidOperationException("OpenIdConnect:ClientId is missing: the client of the dashboard at the provider.");
        builder
            .Services.AddAuthentication()
            .AddOpenIdConnect(
                OpenIdConnectDefaults.AuthenticationScheme,
                provider.Name,
                options =>
                {
                    options.SignInScheme = DashboardServices.SessionScheme;
                    options.Authority = provider.Authority;
                    options.ClientId = clientId;
                    options.ClientSecret = provider.ClientSecret;
                    options.RequireHttpsMetadata = provider.RequireHttps;
                    options.ResponseType = OpenIdConnectResponseType.Code;
                    options.ResponseMode = OpenIdConnectResponseMode.Query;
                    options.UsePkce = true;
                    options.MapInboundClaims = false;
                    options.BackchannelTimeout = TimeSpan.FromSeconds(10);

                    // The answer comes as a link, which brings these cookies; the default needs https also on loopback.
                    options.CorrelationCookie.SameSite = options.NonceCookie.SameSite = SameSiteMode.Lax;
                    options.CorrelationCookie.SecurePolicy = options.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                    options.Events.OnTokenValidated = context =>
                    {
                        context.Principal = new ClaimsPrincipal(
                            provider.Read(context.Principal!, OpenIdConnectDefaults.AuthenticationScheme)
                        );
                        var time = context.HttpContext.RequestServices.GetRequiredService<TimeProvider>();
                        context.Properties!.ExpiresUtc = time.GetUtcNow() + Length;
                        return Task.CompletedTask;
                    };
                    options.Events.OnRemoteFailure = context =>
                    {
                        // Somebody who went back, or waited too long; the log says what.
                        context.Response.Redirect($"{context.Request.PathBase}/sign-in?refused=failed");
                        context.HandleResponse();
                        return Task.CompletedTask;
                    };
                }
            );
    }
}
