using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>Makes the keys of clients. The HTTP endpoints do the same for administrators; the first key comes from here.</summary>
public static class ApiKeys
{
    /// <summary>The longest tenant, in characters.</summary>
    public const int MaxTenantLength = 64;

    /// <summary>The most keys that may be valid at the same time: each service has all of them in memory.</summary>
    internal const int MaxKeys = 10_000;

    // Scanners for lost secrets recognise a key by how it begins.
    private const string Prefix = "platform_";

    private const int SecretBytes = 32;

    private static readonly int Length = Prefix.Length + ApiKey.IdLength + 1 + (2 * SecretBytes);

    /// <summary>Saves a new key.</summary>
    /// <param name="db">A context whose model has the tables of <see cref="HeavyTasksModel.AddHeavyTasks"/>. It tracks nothing else.</param>
    /// <param name="name">What the key is for, 1 to 100 characters.</param>
    /// <param name="roles">What its holder may do; at least one role.</param>
    /// <param name="tenant">
    /// The tenant whose tasks and files the key reaches: 1 to 64 letters, digits, <c>.</c>, <c>_</c> and <c>-</c>. Default: empty, for a key
    /// that reaches all. An administrator has no tenant.
    /// </param>
    /// <param name="expiresAt">When the key ends; default: never.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The key. It cannot be read again.</returns>
    /// <exception cref="ArgumentException">An argument is not valid; nothing was saved.</exception>
    /// <exception cref="InvalidOperationException">There are 10,000 valid keys, as many as there may be.</exception>
    public static async Task<string> CreateAsync(
        DbContext db,
        string name,
        HeavyTaskRole roles,
        string tenant = "",
        DateTimeOffset? expiresAt = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(db);
        if (FaultOfName(name) is { } nameFault)
        {
            throw new ArgumentException(nameFault, nameof(name));
        }

        if (roles == HeavyTaskRole.None)
        {
            throw new ArgumentException($"At least one of {string.Join(", ", HeavyTaskRoles.All)} is expected.", nameof(roles));
        }

        if (tenant.Length > 0 && FaultOfTenant(tenant, roles) is { } tenantFault)
        {
            throw new ArgumentException(tenantFault, nameof(tenant));
        }

        if (await IsFullAsync(db, cancellationToken))
        {
            throw new InvalidOperationException(Full);
        }

        var now = TimeProvider.System.GetUtcNow();
        var (row, key) = New(name, roles, tenant, now.UtcDateTime, expiresAt?.UtcDateTime);
        db.Add(row);
        db.Add(
            new AuditEntry
            {
                Id = Guid.CreateVersion7(now),
                CreatedAt = now.UtcDateTime,
                ActorName = $"{Environment.UserName} on {Environment.MachineName}",
                Action = "CreateKey",
                Target = row.Id,
                Outcome = $"{AuditOutcome.Done}",
            }
        );
        await db.SaveChangesAsync(cancellationToken);
        return key;
    }

    /// <summary>Why there cannot be another key.</summary>
    internal static string Full => $"There are {MaxKeys:N0} valid keys, as many as there may be. Revoke some first.";

    /// <summary>The keys that clients may use.</summary>
    internal static IQueryable<ApiKey> Valid(DbContext db) =>
        db.ApiKeys.Where(k => k.RevokedAt == null && (k.ExpiresAt == null || k.ExpiresAt > DatabaseClock.UtcNow()));

    /// <summary>Whether there are as many valid keys as there may be.</summary>
    internal static async Task<bool> IsFullAsync(DbContext db, CancellationToken cancellationToken) =>
        await Valid(db).CountAsync(cancellationToken) >= MaxKeys;

    /// <summary>What is wrong with a name; null when nothing is.</summary>
    internal static string? FaultOfName(string? name) =>
        string.IsNullOrWhiteSpace(name) || name.Length > ApiKey.MaxNameLength || name.Any(char.IsControl) || !StorableText.IsStorable(name)
            ? $"1 to {ApiKey.MaxNameLength} characters are expected, without control characters."
            : null;

    /// <summary>What is wrong with a tenant for a key with these roles; null when nothing is.</summary>
    internal static string? FaultOfTenant(string tenant, HeavyTaskRole roles) =>
        !IsTenant(tenant) ? $"1 to {MaxTenantLength} letters (a-z, A-Z), digits, '.', '_' and '-' are expected."
        : roles.HasFlag(HeavyTaskRole.Admin) ? "An administrator has no tenant."
        : null;

    /// <summary>Whether a text can name a tenant.</summary>
    internal static bool IsTenant(string text) =>
        text.Length is > 0 and <= MaxTenantLength && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    /// <summary>Makes a key and the row that recognises it.</summary>
    internal static (ApiKey Row, string Key) New(string name, HeavyTaskRole roles, string tenant, DateTime now, DateTime? expiresAt)
    {
        var id = RandomNumberGenerator.GetHexString(ApiKey.IdLength, lowercase: true);
        var secret = RandomNumberGenerator.GetHexString(2 * SecretBytes, lowercase: true);
        var row = new ApiKey
        {
            Id = id,
            Name = name,
            SecretHash = Hash(secret),
            Roles = HeavyTaskRoles.Write(roles),
            TenantId = tenant,
            CreatedAt = now,
            ExpiresAt = expiresAt,
        };
        return (row, $"{Prefix}{id}_{secret}");
    }

    /// <summary>Whether the text begins as a key does.</summary>
    internal static bool LooksLikeKey(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Takes a key apart; false when the text cannot be one.</summary>
    internal static bool TryRead(string text, out string id, out byte[] secretHash)
    {
        (id, secretHash) = ("", []);
        if (text.Length != Length || !text.StartsWith(Prefix, StringComparison.Ordinal) || text[Prefix.Length + ApiKey.IdLength] != '_')
        {
            return false;
        }

        id = text.Substring(Prefix.Length, ApiKey.IdLength);
        secretHash = Hash(text[(Prefix.Length + ApiKey.IdLength + 1)..]);
        return true;
    }

    private static byte[] Hash(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
