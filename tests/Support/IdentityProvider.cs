using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Platform.Support;

/// <summary>
/// An OpenID Connect provider on loopback (OpenIddict), where one person is signed in already, with the claims that the test gives. It has no
/// memory: codes and tokens contain what they stand for.
/// </summary>
public sealed class IdentityProvider : IAsyncDisposable
{
    /// <summary>The client of the dashboard.</summary>
    public const string ClientId = "dashboard";

    /// <summary>For whom its tokens are meant, unless a test asks for others.</summary>
    public const string Audience = "platform-api";

    private readonly WebApplication app;

    private IdentityProvider(WebApplication app) => this.app = app;

    /// <summary>The claims of the person who is signed in; several of one type are allowed.</summary>
    public List<(string Type, string Value)> Claims { get; } = [];

    /// <summary>The address of the provider.</summary>
    public Uri Address => new(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Starts a provider on a free port.</summary>
    public static async Task<IdentityProvider> StartAsync()
    {
        IdentityProvider? provider = null;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        builder.Services.AddAuthentication();
        builder
            .Services.AddOpenIddict()
            .AddServer(server =>
            {
                server.SetAuthorizationEndpointUris("connect/authorize").SetTokenEndpointUris("connect/token");
                server.AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange().AllowClientCredentialsFlow();
                server.AddEphemeralEncryptionKey().AddEphemeralSigningKey().DisableAccessTokenEncryption();
                server.RegisterScopes(OpenIddictConstants.Scopes.Profile);
                server.SetAccessTokenLifetime(TimeSpan.FromMinutes(5));
                server.EnableDegradedMode();
                server.AddEventHandler<ValidateAuthorizationRequestContext>(handler =>
                    handler.UseInlineHandler(context =>
                    {
                        if (context.ClientId != ClientId || !new Uri(context.RedirectUri!).IsLoopback)
                        {
                            context.Reject(OpenIddictConstants.Errors.InvalidClient);
                        }

                        return default;
                    })
                );
                server.AddEventHandler<ValidateTokenRequestContext>(handler => handler.UseInlineHandler(_ => default));
                server.AddEventHandler<HandleAuthorizationRequestContext>(handler =>
                    handler.UseInlineHandler(context =>
                    {
                        context.Principal = provider!.Principal(Audience);
                        context.Principal.SetScopes(context.Request.GetScopes());
                        return default;
                    })
                );
                server.AddEventHandler<HandleTokenRequestContext>(handler =>
                    handler.UseInlineHandler(context =>
                    {
                        // A code already says for whom it is.
                        if (context.Request.IsClientCredentialsGrantType())
                        {
                            context.Principal = provider!.Principal(context.Request.GetParameter("for")?.ToString() ?? Audience);
                        }

                        return default;
                    })
                );
                server.UseAspNetCore().DisableTransportSecurityRequirement();
            });
        var app = builder.Build();
        app.UseAuthentication();
        provider = new IdentityProvider(app);
        await app.StartAsync();
        return provider;
    }

    /// <summary>A token of this person, as a service gets one.</summary>
    public async Task<string> TokenAsync(string audience = Audience)
    {
        using var client = new HttpClient { BaseAddress = Address };
        using var response = await client.PostAsync(
            "connect/token",
            new FormUrlEncodedContent(
                new Dictionary<string, string>
                {
                    ["grant_type"] = "client_credentials",
                    ["client_id"] = "a-service",
                    ["client_secret"] = "not looked at",
                    ["for"] = audience,
                }
            )
        );
        var answer = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        return System.Text.Json.JsonElement.Parse(answer).GetProperty("access_token").GetString()!;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    private ClaimsPrincipal Principal(string audience)
    {
        var identity = new ClaimsIdentity("test", OpenIddictConstants.Claims.Name, OpenIddictConstants.Claims.Role);
        identity.AddClaim(new Claim(OpenIddictConstants.Claims.Subject, "ada-1"));
        identity.AddClaim(new Claim(OpenIddictConstants.Claims.Name, "Ada"));
        identity.AddClaims(Claims.Select(claim => new Claim(claim.Type, claim.Value)));
        var principal = new ClaimsPrincipal(identity);
        principal.SetAudiences(audience);
        principal.SetDestinations(_ => [OpenIddictConstants.Destinations.AccessToken, OpenIddictConstants.Destinations.IdentityToken]);
        return principal;
    }
}
