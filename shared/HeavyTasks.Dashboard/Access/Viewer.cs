using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Who looks at the dashboard through one connection, and what that client may do. Every action asks here by itself.</summary>
internal sealed class Viewer(
    AuthenticationStateProvider state,
    IAuthorizationService authorization,
    IOptions<DashboardOptions> options,
    KeySessions sessions
)
{
    /// <summary>The address from which the page was asked for.</summary>
    public string Address { get; set; } = "";

    /// <summary>The client.</summary>
    public async Task<ClaimsPrincipal> GetUserAsync() => (await state.GetAuthenticationStateAsync()).User;

    /// <summary>The tenant whose tasks the client sees; empty for all.</summary>
    public async Task<string> GetTenantAsync()
    {
        var user = await GetUserAsync();

        // A tenant that cannot be one is nobody's: to take it for none would show everything.
        return user.HasUnusableTenant() ? throw new InvalidOperationException("The tenant of this client is none.") : user.TenantId();
    }

    /// <summary>Whether the client may do what the policy allows, now: a key that was revoked meanwhile may nothing.</summary>
    public async Task<bool> MayAsync(string policy)
    {
        var user = await GetUserAsync();
        return await sessions.IsValidAsync(user, CancellationToken.None)
            && !user.HasUnusableTenant()
            && (await authorization.AuthorizeAsync(user, resource: null, policy)).Succeeded;
    }

    /// <summary>Whether the client sees parameters, results and errors.</summary>
    public async Task<bool> SeesPayloadsAsync() => Payloads.AreSeenBy(await GetUserAsync(), options.Value);
}
