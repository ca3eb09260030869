using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Who looks at the dashboard through one connection, and what that client may do. Every action asks here by itself.</summary>
internal sealed partial class Viewer(
    AuthenticationStateProvider state,
    IAuthorizationService authorization,
    IOptions<AccessOptions> options,
    KeySessions sessions,
    IServiceScopeFactory scopes,
    IServiceProvider services,
    ILogger<Viewer> logger
)
{
    /// <summary>The address from which the page was asked for.</summary>
    public string Address { get; set; } = "";

    /// <summary>The client.</summary>
    public async Task<ClaimsPrincipal> GetUserAsync() => (await state.GetAuthenticationStateAsync()).User;

    /// <summary>The tenant whose tasks the client sees; empty for all.</summary>
    /// <exception cref="UnauthorizedAccessException">Nobody is there who may read, or the tenant cannot be one.</exception>
    public async Task<string> GetTenantAsync()
    {
        // Nobody has no tenant either, and must not be taken for somebody who sees everything.
        var user = await GetUserAsync();
        return await MayAsync(HeavyTaskPolicies.Read)
            ? user.TenantId()
            : throw new UnauthorizedAccessException("This needs a client with the role read.");
    }

    /// <summary>
    /// Whether the client may see what the policy allows: a key that was revoked meanwhile may nothing. While the database does not answer, a key
    /// counts as valid, because nothing can be read then.
    /// </summary>
    public Task<bool> MayAsync(string policy) => MayAsync(policy, unknown: true);

    /// <summary>
    /// Lets the client do something, or records that it was refused. While it cannot be known whether the key is still valid, it may do nothing.
    /// </summary>
    /// <param name="policy">Who may.</param>
    /// <param name="action">What: the name of the action in the record.</param>
    /// <param name="target">To what.</param>
    /// <exception cref="UnauthorizedAccessException">The client may not; the message says so, for people.</exception>
    public async Task<Actor> DemandAsync(string policy, string action, string target)
    {
        var actor = new Actor(await GetUserAsync(), action, Address, services);
        if (await MayAsync(policy, unknown: false))
        {
            return actor;
        }

        await RecordAsync(actor, target);
        var role = DefaultPolicies.RoleOf(policy) is { } needed ? HeavyTaskRoles.NamesOf(needed).Single() : policy;
        throw new UnauthorizedAccessException(
            actor.User.HasClaim(HeavyTaskPolicies.RoleClaim, role)
                ? "This is for clients without a tenant, and whose key is valid."
                : $"This needs a client with the role {role}."
        );
    }

    /// <summary>Whether the client sees parameters, results and errors.</summary>
    public async Task<bool> SeesPayloadsAsync() => (await GetUserAsync()).SeesPayloads(options.Value);

    private async Task<bool> MayAsync(string policy, bool unknown)
    {
        var user = await GetUserAsync();
        return await sessions.IsValidAsync(user, unknown, CancellationToken.None)
            && !user.HasUnusableTenant()
            && (await authorization.AuthorizeAsync(user, resource: null, policy)).Succeeded;
    }

    private async Task RecordAsync(Actor actor, string target)
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            db.Record(actor, target, AuditOutcome.Forbidden);
            await db.SaveChangesAsync();
        }
        catch (Exception exception)
        {
            NotRecorded(logger, LoggedText.Of(exception.GetBaseException().Message));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "An action that was refused could not be recorded: {Reason}")]
    private static partial void NotRecorded(ILogger logger, string reason);
}
