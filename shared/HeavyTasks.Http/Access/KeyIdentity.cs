using System.Security.Claims;

namespace Platform.HeavyTasks.Http;

/// <summary>What is known of a client by its key.</summary>
internal static class KeyIdentity
{
    /// <summary>The identity of whoever sent the key, with its roles, those that they include, and its tenant.</summary>
    public static ClaimsIdentity Of(ApiKey key, string authenticationType)
    {
        var identity = new ClaimsIdentity(authenticationType);
        identity.AddClaim(new Claim(ClaimTypes.NameIdentifier, key.Id));
        identity.AddClaim(new Claim(ClaimTypes.Name, key.Name));
        identity.AddClaims(
            HeavyTaskRoles
                .NamesOf(HeavyTaskRoles.Parse(key.Roles).WithIncluded())
                .Select(role => new Claim(HeavyTaskPolicies.RoleClaim, role))
        );
        if (key.TenantId != Tenants.None)
        {
            identity.AddClaim(new Claim(HeavyTaskPolicies.TenantClaim, key.TenantId));
        }

        return identity;
    }
}
