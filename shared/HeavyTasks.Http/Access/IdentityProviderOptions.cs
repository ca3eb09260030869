using System.Security.Claims;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Where people and services sign in with OpenID Connect, and what their claims mean here. Section <c>OpenIdConnect</c>. Without an
/// <see cref="Authority"/> only keys count.
/// </summary>
public sealed class IdentityProviderOptions
{
    /// <summary>The value of a tenant claim that stands for no tenant, so that its holder reaches everything.</summary>
    public const string AllTenants = "*";

    /// <summary>The address of the provider, such as <c>https://login.example/realms/company</c>. Default: none.</summary>
    public string? Authority { get; set; }

    /// <summary>For whom tokens for the API must be meant. Required by the API with <see cref="Authority"/>.</summary>
    public string? Audience { get; set; }

    /// <summary>The client of the dashboard at the provider. Required by the dashboard with <see cref="Authority"/>.</summary>
    public string? ClientId { get; set; }

    /// <summary>Its secret. Default: none, for a public client; the code is protected by PKCE then, as always.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>What the button of the dashboard names. Default <c>single sign-on</c>.</summary>
    public string Name { get; set; } = "single sign-on";

    /// <summary>The claim that holds what somebody may do. Default <c>roles</c>.</summary>
    public string RoleClaim { get; set; } = "roles";

    /// <summary>
    /// What the values of that claim mean, such as <c>Roles:task-operators = operate,submit</c>. Default: none, and a value that is the name of
    /// a role means that role; with any entry only the entries count.
    /// </summary>
    public Dictionary<string, string> Roles { get; } = new(StringComparer.Ordinal);

    /// <summary>
    /// The claim that holds the tenant. Default: none, and everybody reaches all tenants. With it, whoever has no such claim, or a value that
    /// cannot be a tenant, may nothing; the value <c>*</c> stands for no tenant.
    /// </summary>
    public string? TenantClaim { get; set; }

    /// <summary>Whether the provider must be reached over TLS. Default true; false is for tests on one machine.</summary>
    public bool RequireHttps { get; set; } = true;

    /// <summary>What the claims of somebody mean here: who it is, the roles, and the tenant.</summary>
    /// <param name="claims">The claims as the provider gave them.</param>
    /// <param name="authenticationType">What the identity is called.</param>
    public ClaimsIdentity Read(ClaimsPrincipal claims, string authenticationType)
    {
        ArgumentNullException.ThrowIfNull(claims);
        var identity = new ClaimsIdentity(authenticationType);
        var subject = claims.FindFirst("sub")?.Value ?? "";
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, subject));
        identity.AddClaim(
            new Claim(ClaimTypes.Name, claims.FindFirst("name")?.Value ?? claims.FindFirst("preferred_username")?.Value ?? subject)
        );
        var tenant = Tenants.None;
        if (TenantClaim is not null)
        {
            // Two tenants are as little one tenant as none is.
            if (claims.FindAll(TenantClaim).Select(claim => claim.Value).ToList() is not [{ } value] || !IsTenant(value))
            {
                return identity;
            }

            tenant = value == AllTenants ? Tenants.None : value;
        }

        var roles = claims.FindAll(RoleClaim).Aggregate(HeavyTaskRole.None, (all, claim) => all | RolesOf(claim.Value)).WithIncluded();
        if (tenant != Tenants.None)
        {
            // An administrator has no tenant; one of a tenant may there what an administrator's role includes.
            roles &= ~HeavyTaskRole.Admin;
            identity.AddClaim(new Claim(HeavyTaskPolicies.TenantClaim, tenant));
        }

        identity.AddClaims(HeavyTaskRoles.NamesOf(roles).Select(role => new Claim(HeavyTaskPolicies.RoleClaim, role)));
        return identity;
    }

    /// <summary>Checks the settings that this class alone can check.</summary>
    /// <exception cref="InvalidOperationException">One is not usable; the message names it.</exception>
    public void Check()
    {
        if (Authority is not null && !Uri.TryCreate(Authority, UriKind.Absolute, out _))
        {
            throw new InvalidOperationException("OpenIdConnect:Authority is an address such as https://login.example.");
        }

        if (Roles.Values.SelectMany(Split).FirstOrDefault(role => HeavyTaskRoles.Find(role) is null) is { } unknown)
        {
            throw new InvalidOperationException(
                $"OpenIdConnect:Roles names the role {unknown}, which is none of {string.Join(", ", HeavyTaskRoles.All)}."
            );
        }
    }

    private static bool IsTenant(string value) => value == AllTenants || ApiKeys.IsTenant(value);

    private static IEnumerable<string> Split(string roles) =>
        roles.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private HeavyTaskRole RolesOf(string value) =>
        Roles.Count == 0 ? HeavyTaskRoles.Find(value) ?? HeavyTaskRole.None
        : Roles.TryGetValue(value, out var names) ? HeavyTaskRoles.Parse(string.Join(',', Split(names)))
        : HeavyTaskRole.None;
}
