namespace Platform.HeavyTasks.Http;

/// <summary>Who reads what clients send as <c>Authorization: Bearer</c> and is no key.</summary>
/// <param name="SchemeName">The scheme of the application that reads it.</param>
/// <param name="Provider">What its claims mean here.</param>
internal sealed record BearerTokens(string SchemeName, IdentityProviderOptions Provider);

/// <summary>Adds tokens of an identity provider to the keys.</summary>
public static class BearerTokenServices
{
    /// <summary>
    /// Lets clients send tokens, too, as <c>Authorization: Bearer</c>: what does not begin as a key does is read by a scheme of the application,
    /// such as <c>AddJwtBearer</c>'s, and its claims become roles and a tenant. One policy then serves both.
    /// </summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="schemeName">The scheme that reads tokens.</param>
    /// <param name="provider">What the claims mean here.</param>
    /// <exception cref="InvalidOperationException">The settings are not usable.</exception>
    public static IServiceCollection AddHeavyTaskTokens(
        this IServiceCollection services,
        string schemeName,
        IdentityProviderOptions provider
    )
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(schemeName);
        ArgumentNullException.ThrowIfNull(provider);
        provider.Check();
        return services.AddSingleton(new BearerTokens(schemeName, provider));
    }
}
