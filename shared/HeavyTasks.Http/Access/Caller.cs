using System.Security.Claims;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>What these endpoints ask of whoever calls them.</summary>
internal static class Caller
{
    /// <summary>The tenant of the caller; <see cref="Tenants.None"/> for one that reaches everything.</summary>
    public static string TenantId(this ClaimsPrincipal caller) => caller.FindFirst(HeavyTaskPolicies.TenantClaim)?.Value ?? Tenants.None;

    /// <summary>The id of the caller's key, or what else the application knows it by; null for somebody unknown.</summary>
    public static string? ClientId(this ClaimsPrincipal caller) =>
        caller.FindFirst(ClaimTypes.NameIdentifier)?.Value is { Length: > 0 } id ? StorableText.Of(id, AuditEntry.MaxActorLength) : null;

    /// <summary>
    /// Whether the application gave the caller a tenant that cannot be one, such as an empty text. To take it for no tenant would show it
    /// everything.
    /// </summary>
    public static bool HasUnusableTenant(this ClaimsPrincipal caller) =>
        caller.FindFirst(HeavyTaskPolicies.TenantClaim) is { } claim && !ApiKeys.IsTenant(claim.Value);

    /// <summary>Whether the caller sees what tasks contain (<see cref="AccessOptions.PayloadRole"/>).</summary>
    public static bool SeesPayloads(this ClaimsPrincipal caller, AccessOptions options) =>
        options.PayloadRole == "read" || caller.HasClaim(HeavyTaskPolicies.RoleClaim, options.PayloadRole);

    /// <summary>Whether the client of a request sees what tasks contain.</summary>
    public static bool SeesPayloads(this HttpContext http) =>
        http.User.SeesPayloads(http.RequestServices.GetRequiredService<IOptions<AccessOptions>>().Value);

    /// <summary>Leaves out the tasks that are not the caller's.</summary>
    public static IQueryable<HeavyTask> Of(this IQueryable<HeavyTask> tasks, string tenantId) =>
        tenantId == Tenants.None ? tasks : tasks.Where(t => t.TenantId == tenantId);
}
