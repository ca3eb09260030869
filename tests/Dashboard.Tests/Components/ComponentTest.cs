using System.Security.Claims;
using Bunit;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Dashboard;
using Platform.HeavyTasks.Http;
using Platform.Support;

namespace Platform.Dashboard.Tests.Components;

/// <summary>Components without a browser, a server or a database, and somebody who looks at them.</summary>
public abstract class ComponentTest : BunitContext
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    protected ComponentTest()
    {
        Services.AddLogging();
        Services.AddSingleton<TimeProvider>(Clock);
        Services.AddSingleton<AuthenticationStateProvider>(Visitor);
        Services.AddSingleton(Options.Create(new AccessOptions()));
        Services.AddSingleton(Options.Create(new DashboardOptions()));
        Services.AddAuthentication();
        Services.AddAuthorizationCore(options =>
        {
            foreach (var (policy, role) in Roles)
            {
                options.AddPolicy(policy, allowed => allowed.RequireClaim(HeavyTaskPolicies.RoleClaim, role));
            }
        });
        // In the place of those that only say that they are missing.
        Services.AddTransient<IAuthorizationService, DefaultAuthorizationService>();
        Services.AddTransient<IAuthorizationPolicyProvider, DefaultAuthorizationPolicyProvider>();
        Services.AddSingleton<KnownKeys>();
        Services.AddSingleton<KeySessions>();
        Services.AddSingleton<Failures>();
        Services.AddSingleton<LiveReader>();
        Services.AddScoped<Viewer>();
        Services.AddScoped<Notices>();
        Services.AddScoped<WorkerActions>();
        JSInterop.Mode = JSRuntimeMode.Loose;
    }

    /// <summary>The time, which stands still until a test moves it.</summary>
    protected ManualTime Clock { get; } = new();

    /// <summary>Who looks.</summary>
    internal Visitor Visitor { get; } = new();

    private static readonly (string Policy, string Role)[] Roles =
    [
        (HeavyTaskPolicies.Submit, "submit"),
        (HeavyTaskPolicies.Read, "read"),
        (HeavyTaskPolicies.ReadSystem, "read"),
        (HeavyTaskPolicies.Operate, "operate"),
        (HeavyTaskPolicies.OperateSystem, "operate"),
        (HeavyTaskPolicies.Admin, "admin"),
    ];

    /// <summary>Offers the page where one signs in.</summary>
    protected void AddSignIn() => Services.AddAuthentication().AddCookie(KeySessions.SchemeName);
}

/// <summary>Who looks at a page, which may change while it is open, and may be unknown for a while.</summary>
internal sealed class Visitor : AuthenticationStateProvider
{
    private TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Visitor() => known.SetResult();

    private ClaimsPrincipal user = new(new ClaimsIdentity());

    /// <summary>Lets somebody with these roles look.</summary>
    public void Become(params string[] roles)
    {
        var claims = roles
            .Select(role => new Claim(HeavyTaskPolicies.RoleClaim, role))
            .Append(new Claim(ClaimTypes.NameIdentifier, "ada-1"));
        user = new ClaimsPrincipal(new ClaimsIdentity(claims.Append(new Claim(ClaimTypes.Name, "Ada")), "test"));
        NotifyAuthenticationStateChanged(GetAuthenticationStateAsync());
    }

    /// <summary>Leaves nobody there.</summary>
    public void Leave()
    {
        user = new ClaimsPrincipal(new ClaimsIdentity());
        NotifyAuthenticationStateChanged(GetAuthenticationStateAsync());
    }

    /// <summary>From now on nobody can say who looks, until <see cref="Reveal"/>.</summary>
    public void Hide() => known = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Reveal() => known.TrySetResult();

    public override async Task<AuthenticationState> GetAuthenticationStateAsync()
    {
        await known.Task;
        return new AuthenticationState(user);
    }
}
