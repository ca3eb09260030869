using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class ListKeys
{
    /// <summary>Lists the keys of clients, without the keys themselves: valid ones first, oldest first; at most 10,000.</summary>
    public static async Task<JsonOk<KeyList>> HandleAsync(EngineContext engine, CancellationToken cancellationToken)
    {
        var keys = await engine
            .Db.ApiKeys.AsNoTracking()
            .OrderBy(k => k.RevokedAt != null || (k.ExpiresAt != null && k.ExpiresAt <= DatabaseClock.UtcNow()))
            .ThenBy(k => k.CreatedAt)
            .ThenBy(k => k.Id)
            .Take(ApiKeys.MaxKeys)
            .Select(k => new
            {
                k.Id,
                k.Name,
                k.Roles,
                k.TenantId,
                k.CreatedAt,
                k.ExpiresAt,
                k.RevokedAt,
                k.LastUsedAt,
            })
            .ToListAsync(cancellationToken);
        return JsonAnswer.Ok(
            new KeyList([
                .. keys.Select(k => new KeyDescription(
                    k.Id,
                    k.Name,
                    k.Roles.Split(','),
                    k.TenantId == Tenants.None ? null : k.TenantId,
                    k.CreatedAt,
                    k.ExpiresAt,
                    k.RevokedAt,
                    k.LastUsedAt
                )),
            ])
        );
    }
}

/// <summary>The keys of clients.</summary>
/// <param name="Items">The keys, valid ones first, oldest first.</param>
internal sealed record KeyList(IReadOnlyList<KeyDescription> Items);

/// <summary>What is known of a key.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Roles">What its holder may do.</param>
/// <param name="Tenant">The tenant whose tasks and files it reaches; null for all.</param>
/// <param name="CreatedAt">When it was created (UTC).</param>
/// <param name="ExpiresAt">When it ends (UTC); null for never.</param>
/// <param name="RevokedAt">When it was revoked (UTC); null while it was not.</param>
/// <param name="LastUsedAt">When it was last used (UTC), to a minute; null before the first use.</param>
internal sealed record KeyDescription(
    string Id,
    string Name,
    IReadOnlyList<string> Roles,
    string? Tenant,
    DateTime CreatedAt,
    DateTime? ExpiresAt,
    DateTime? RevokedAt,
    DateTime? LastUsedAt
);
