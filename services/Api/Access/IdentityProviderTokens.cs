using Microsoft.AspNetCore.Authentication.JwtBearer;
using Platform.HeavyTasks.Http;

namespace Platform.Api.Access;

/// <summary>Lets clients send tokens of an OpenID Connect provider, where one is configured (section <c>OpenIdConnect</c>).</summary>
internal static class IdentityProviderTokens
{
    public static void AddIdentityProviderTokens(this WebApplicationBuilder builder)
    {
        var provider = builder.Configuration.GetSection("OpenIdConnect").Get<IdentityProviderOptions>() ?? new IdentityProviderOptions();
        if (provider.Authority is null)
        {
            return;
        }

        // Without an audience a token for any other service of the company would do.
        var audience = string.IsNullOrWhiteSpace(provider.Audience)
            ? throw new InvalidOperationException("OpenIdConnect:Audience is missing: for whom tokens must be meant.")
            : provider.Audience;
        builder.Services.AddHeavyTaskTokens(JwtBearerDefaults.AuthenticationScheme, provider);
        builder
            .Services.AddAuthentication()
            .AddJwtBearer(options =>
            {
                options.Authority = provider.Authority;
                options.Audience = audience;
                options.RequireHttpsMetadata = provider.RequireHttps;
                options.MapInboundClaims = false;
                options.BackchannelTimeout = TimeSpan.FromSeconds(5);
                options.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(30);

                // A token whose key is not known may be a false one, or the provider could not be asked for its keys: the latter is no
                // fault of the client.
                options.Events = new JwtBearerEvents
                {
                    OnAuthenticationFailed = async context =>
                    {
                        try
                        {
                            await context.Options.ConfigurationManager!.GetConfigurationAsync(context.HttpContext.RequestAborted);
                        }
                        catch (Exception exception)
                        {
                            context.Fail(exception);
                        }
                    },
                };
            });
    }
}
