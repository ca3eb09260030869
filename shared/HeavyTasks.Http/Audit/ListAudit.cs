using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class ListAudit
{
    /// <summary>
    /// Lists who did what, newest first, page by page: tasks cancelled and retried, keys created and revoked, and what was refused.
    /// </summary>
    /// <param name="target">Lists only what was done to this task or key.</param>
    /// <param name="actor">Lists only what the client with this key did.</param>
    /// <param name="cursor">Where the page begins: the <c>next</c> of the page before.</param>
    /// <param name="limit">The number of entries on a page, 1 to 200; default 50.</param>
    public static async Task<Results<JsonOk<AuditPage>, ValidationProblem>> HandleAsync(
        string? target,
        string? actor,
        string? cursor,
        string? limit,
        HttpContext http,
        EngineContext engine,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(http.Request.Query, "target", "actor", "cursor", "limit");
        Check(target, "target", AuditEntry.MaxTargetLength, errors);
        Check(actor, "actor", AuditEntry.MaxActorLength, errors);
        var before = HeavyTaskCursor.Read(cursor, errors);
        var size = PageLimit.Read(limit, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        var entries = engine.Db.AuditEntries.AsNoTracking();
        entries = string.IsNullOrEmpty(target) ? entries : entries.Where(e => e.Target == target);
        entries = string.IsNullOrEmpty(actor) ? entries : entries.Where(e => e.Actor == actor);
        entries = before is null ? entries : entries.Where(e => e.Id < before);

        // One row more than asked for shows whether there is a next page.
        var items = await entries.OrderByDescending(e => e.Id).Take(size + 1).ToListAsync(cancellationToken);
        var more = items.Count > size;
        return JsonAnswer.Ok(
            new AuditPage(
                [
                    .. items
                        .Take(size)
                        .Select(e => new AuditEntryResponse(
                            e.CreatedAt,
                            e.Actor,
                            e.ActorName,
                            e.TenantId == Tenants.None ? null : e.TenantId,
                            e.Action,
                            e.Target.Length == 0 ? null : e.Target,
                            e.Outcome,
                            e.Address
                        )),
                ],
                more ? HeavyTaskCursor.Write(items[size - 1].Id) : null
            )
        );
    }

    private static void Check(string? text, string field, int maxLength, FieldErrors errors)
    {
        if (text?.Length > maxLength || text?.Any(char.IsControl) == true || (text is not null && !StorableText.IsStorable(text)))
        {
            errors.Add(field, $"At most {maxLength} characters, without control characters.");
        }
    }
}

/// <summary>One page of who did what.</summary>
/// <param name="Items">The entries, newest first.</param>
/// <param name="Next">The cursor of the next page; null on the last page.</param>
internal sealed record AuditPage(IReadOnlyList<AuditEntryResponse> Items, string? Next);

/// <summary>Who did what.</summary>
/// <param name="CreatedAt">When (UTC).</param>
/// <param name="Actor">The id of the key that the client used; empty for a command.</param>
/// <param name="ActorName">The name of the key; for a command, the user of the system and the machine.</param>
/// <param name="Tenant">The tenant of the client; null for none.</param>
/// <param name="Action">What it did: the name of the operation in the OpenAPI document, or of the command.</param>
/// <param name="Target">To what: the id of a task or key; null where the action has none.</param>
/// <param name="Outcome">With what outcome: Done, NotFound, Conflict or Forbidden.</param>
/// <param name="Address">The address from which the request came: of the client, or of the proxy before the service.</param>
internal sealed record AuditEntryResponse(
    DateTime CreatedAt,
    string Actor,
    string ActorName,
    string? Tenant,
    string Action,
    string? Target,
    string Outcome,
    string Address
);
