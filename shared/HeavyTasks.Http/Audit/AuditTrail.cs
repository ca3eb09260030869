using System.Security.Claims;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>Records what clients do to what is there. Submitted tasks and uploads are no entries: they are rows themselves.</summary>
internal static class AuditTrail
{
    extension(DbContext db)
    {
        /// <summary>
        /// Adds the entry of an action to the context; the caller's next <c>SaveChanges</c> saves it together with what the action did. Of one
        /// client only some refusals are recorded (<see cref="ClientLimits.MayRecordRefusal"/>).
        /// </summary>
        public void Record(Actor actor, string target, AuditOutcome outcome)
        {
            if (outcome != AuditOutcome.Done && !actor.Services.GetRequiredService<ClientLimits>().MayRecordRefusal(actor.User))
            {
                return;
            }

            var time = actor.Services.GetRequiredService<TimeProvider>().GetUtcNow();
            db.Add(
                new AuditEntry
                {
                    Id = Guid.CreateVersion7(time),
                    CreatedAt = time.UtcDateTime,
                    Actor = Cut(actor.User.FindFirst(ClaimTypes.NameIdentifier)?.Value, AuditEntry.MaxActorLength),
                    ActorName = Cut(actor.User.FindFirst(ClaimTypes.Name)?.Value, AuditEntry.MaxActorLength),
                    TenantId = Cut(actor.User.TenantId(), ApiKeys.MaxTenantLength),
                    Action = Cut(actor.Action, AuditEntry.MaxActionLength),
                    Target = Cut(target, AuditEntry.MaxTargetLength),
                    Outcome = $"{outcome}",
                    Address = Cut(actor.Address, AuditEntry.MaxAddressLength),
                }
            );
        }
    }

    // What the application's own claims contain may be of any length, and may have characters that no database stores.
    private static string Cut(string? text, int length)
    {
        text ??= "";
        text = StorableText.IsStorable(text) ? text : "?";
        return text.Length <= length ? text : text[..length];
    }
}

/// <summary>Who does something.</summary>
/// <param name="User">The client.</param>
/// <param name="Action">What it does: the name of an operation in the OpenAPI document.</param>
/// <param name="Address">The address from which it came.</param>
/// <param name="Services">The services of the process.</param>
internal sealed record Actor(ClaimsPrincipal User, string Action, string? Address, IServiceProvider Services)
{
    /// <summary>The tenant whose tasks it reaches; empty for all.</summary>
    public string TenantId => User.TenantId();

    /// <summary>Who sent a request.</summary>
    public static Actor Of(HttpContext http) =>
        new(
            http.User,
            http.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName ?? "",
            http.Connection.RemoteIpAddress?.ToString(),
            http.RequestServices
        );
}
