using System.Security.Claims;

namespace Platform.HeavyTasks.Http;

/// <summary>What these endpoints ask of whoever calls them.</summary>
internal static class Caller
{
    /// <summary>The tenant of the caller; <see cref="Tenants.None"/> for one that reaches everything.</summary>
    public static string TenantId(this ClaimsPrincipal caller) => caller.FindFirst(HeavyTaskPolicies.TenantClaim)?.Value ?? Tenants.None;

    /// <summary>
    /// Whether the application gave the caller a tenant that cannot be one, such as an empty text. To take it for no tenant would show it
    /// everything.
    /// </summary>
    public static bool HasUnusableTenant(this ClaimsPrincipal caller) =>
        caller.FindFirst(HeavyTaskPolicies.TenantClaim) is { } claim && !ApiKeys.IsTenant(claim.Value);

    /// <summary>Leaves out the tasks that are not the caller's.</summary>
    public static IQueryable<HeavyTask> Of(this IQueryable<HeavyTask> tasks, string tenantId) =>
        tenantId == Tenants.None ? tasks : tasks.Where(t => t.TenantId == tenantId);
}
