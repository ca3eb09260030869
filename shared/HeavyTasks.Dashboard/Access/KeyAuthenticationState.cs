using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Looks every few seconds whether the key of an open page is still valid. When it is not, the page asks to sign in.</summary>
internal sealed class KeyAuthenticationState(ILoggerFactory loggers, KeySessions sessions)
    : RevalidatingServerAuthenticationStateProvider(loggers)
{
    /// <inheritdoc />
    protected override TimeSpan RevalidationInterval => TimeSpan.FromSeconds(3);

    /// <inheritdoc />
    protected override Task<bool> ValidateAuthenticationStateAsync(
        AuthenticationState authenticationState,
        CancellationToken cancellationToken
    ) => sessions.IsValidAsync(authenticationState.User, unknown: true, cancellationToken);
}
