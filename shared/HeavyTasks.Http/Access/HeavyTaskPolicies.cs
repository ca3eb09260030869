using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// The names of the authorization policies of these endpoints. Each endpoint asks for one of them. An application that knows its clients by
/// other means than keys defines policies of these names itself, and then only those count; with <c>AllowAnonymous()</c> on what a
/// <c>Map</c> method returns, everybody may call it.
/// </summary>
public static class HeavyTaskPolicies
{
    /// <summary>Upload files and submit tasks.</summary>
    public const string Submit = "HeavyTasks.Submit";

    /// <summary>Read tasks, results and files.</summary>
    public const string Read = "HeavyTasks.Read";

    /// <summary>Cancel and retry tasks.</summary>
    public const string Operate = "HeavyTasks.Operate";

    /// <summary>Change what belongs to no tenant: pause and resume kinds, and what was set aside.</summary>
    public const string OperateSystem = "HeavyTasks.OperateSystem";

    /// <summary>Create and revoke keys.</summary>
    public const string Admin = "HeavyTasks.Admin";

    /// <summary>Read what belongs to no tenant, such as processes and their pools.</summary>
    public const string ReadSystem = "HeavyTasks.ReadSystem";

    /// <summary>A policy that lets in whoever has a valid key, whatever its roles and tenant.</summary>
    public static AuthorizationPolicy AnyKey { get; } =
        new AuthorizationPolicyBuilder(ApiKeyHandler.SchemeName).RequireClaim(RoleClaim).Build();

    /// <summary>
    /// The type of the claim that holds the tenant of a client: it reaches the tasks and files of this tenant only. A client without the
    /// claim reaches all.
    /// </summary>
    public const string TenantClaim = "heavy-tasks:tenant";

    /// <summary>
    /// A policy that lets in whoever has a valid key and no tenant, whatever its roles: for the fallback policy of an application. An endpoint
    /// that nobody gave a policy may know nothing of tenants.
    /// </summary>
    public static AuthorizationPolicy KeyWithoutTenant { get; } =
        new AuthorizationPolicyBuilder(ApiKeyHandler.SchemeName)
            .RequireClaim(RoleClaim)
            .RequireAssertion(context => context.User.TenantId() == Tenants.None)
            .Build();

    /// <summary>The tenant of a client, for endpoints of the application's own; empty for one that reaches everything.</summary>
    public static string TenantOf(ClaimsPrincipal client)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.TenantId();
    }

    /// <summary>The type of the claims that hold the roles of a client: submit, read, operate, admin.</summary>
    public const string RoleClaim = "heavy-tasks:role";
}

/// <summary>
/// Keeps the scheme of an application that has one and named no default: the framework takes the only scheme for the default, and with ours
/// there are two.
/// </summary>
internal sealed class DefaultScheme : IPostConfigureOptions<AuthenticationOptions>
{
    public void PostConfigure(string? name, AuthenticationOptions options)
    {
        var others = options.Schemes.Where(scheme => scheme.Name != ApiKeyHandler.SchemeName).ToList();
        if (options.DefaultScheme is null && options.DefaultAuthenticateScheme is null && others is [{ } only])
        {
            options.DefaultScheme = only.Name;
        }
    }
}

/// <summary>Adds the policies that the application did not define itself.</summary>
internal sealed class DefaultPolicies : IPostConfigureOptions<AuthorizationOptions>
{
    private static readonly Dictionary<string, HeavyTaskRole> Needed = new()
    {
        [HeavyTaskPolicies.Submit] = HeavyTaskRole.Submit,
        [HeavyTaskPolicies.Read] = HeavyTaskRole.Read,
        [HeavyTaskPolicies.Operate] = HeavyTaskRole.Operate,
        [HeavyTaskPolicies.OperateSystem] = HeavyTaskRole.Operate,
        [HeavyTaskPolicies.Admin] = HeavyTaskRole.Admin,
        [HeavyTaskPolicies.ReadSystem] = HeavyTaskRole.Read,
    };

    /// <summary>The role that a policy asks for; null for the policies of others.</summary>
    public static HeavyTaskRole? RoleOf(string? policy) => policy is not null && Needed.TryGetValue(policy, out var role) ? role : null;

    public void PostConfigure(string? name, AuthorizationOptions options)
    {
        foreach (var (policy, role) in Needed)
        {
            if (options.GetPolicy(policy) is null)
            {
                options.AddPolicy(
                    policy,
                    allowed =>
                    {
                        allowed
                            .AddAuthenticationSchemes(ApiKeyHandler.SchemeName)
                            .RequireClaim(HeavyTaskPolicies.RoleClaim, HeavyTaskRoles.NamesOf(role));
                        if (policy is HeavyTaskPolicies.ReadSystem or HeavyTaskPolicies.OperateSystem or HeavyTaskPolicies.Admin)
                        {
                            allowed.RequireAssertion(context => context.User.TenantId() == Tenants.None);
                        }
                    }
                );
            }
        }
    }
}
