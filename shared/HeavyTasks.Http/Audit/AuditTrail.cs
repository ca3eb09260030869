using System.Security.Claims;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>Records what clients do to what is there. Submitted tasks and uploads are no entries: they are rows themselves.</summary>
internal static class AuditTrail
{
    extension(DbContext db)
    {
        /// <summary>
        /// Adds the entry of a request to the context; the caller's next <c>SaveChanges</c> saves it together with what the request did. Of one
        /// client only some refusals are recorded (<see cref="ClientLimits.MayRecordRefusal"/>).
        /// </summary>
        public void Record(HttpContext http, string target, AuditOutcome outcome)
        {
            if (outcome != AuditOutcome.Done && !http.RequestServices.GetRequiredService<ClientLimits>().MayRecordRefusal(http.User))
            {
                return;
            }

            var time = http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
            db.Add(
                new AuditEntry
                {
                    Id = Guid.CreateVersion7(time),
                    CreatedAt = time.UtcDateTime,
                    Actor = Cut(http.User.FindFirst(ClaimTypes.NameIdentifier)?.Value, AuditEntry.MaxActorLength),
                    ActorName = Cut(http.User.FindFirst(ClaimTypes.Name)?.Value, AuditEntry.MaxActorLength),
                    TenantId = Cut(http.User.TenantId(), ApiKeys.MaxTenantLength),
                    Action = Cut(
                        http.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName,
                        AuditEntry.MaxActionLength
                    ),
                    Target = Cut(target, AuditEntry.MaxTargetLength),
                    Outcome = $"{outcome}",
                    Address = Cut(http.Connection.RemoteIpAddress?.ToString(), AuditEntry.MaxAddressLength),
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
