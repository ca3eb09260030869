using System.Security.Claims;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Who sees parameters, results, checkpoints and errors: <see cref="DashboardOptions.PayloadRole"/>.</summary>
internal static class Payloads
{
    public static bool AreSeenBy(ClaimsPrincipal user, DashboardOptions options) =>
        options.PayloadRole == "read" || user.HasClaim(HeavyTaskPolicies.RoleClaim, options.PayloadRole);
}
