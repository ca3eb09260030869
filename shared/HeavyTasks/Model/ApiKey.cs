namespace Platform.HeavyTasks;

/// <summary>
/// A key with which a client of the HTTP endpoints says who it is. Of the key itself only a hash is kept: it cannot be shown again.
/// </summary>
public class ApiKey
{
    /// <summary>The longest <see cref="Name"/>, in characters.</summary>
    public const int MaxNameLength = 100;

    /// <summary>The length of <see cref="Id"/>: 64 bits in hexadecimal.</summary>
    internal const int IdLength = 16;

    /// <summary>The longest <see cref="Roles"/>, in characters: room for all roles, and for some that later versions may add.</summary>
    internal const int MaxRolesLength = 200;

    /// <summary>A random number, in hexadecimal. It is the beginning of the key, and no secret.</summary>
    public string Id { get; init; } = "";

    /// <summary>What the key is for, in the words of whoever made it.</summary>
    public string Name { get; init; } = "";

    /// <summary>SHA-256 of the key's secret. The secret has 256 random bits, so nobody finds it by trying.</summary>
    internal byte[] SecretHash { get; init; } = [];

    /// <summary>The names of its roles (<see cref="HeavyTaskRole"/>), with commas between them.</summary>
    public string Roles { get; init; } = "";

    /// <summary>The tenant whose tasks and files the key reaches; empty for a key that reaches all.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>When it was made (UTC).</summary>
    public DateTime CreatedAt { get; init; }

    /// <summary>When it ends (UTC); null for never.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>When somebody revoked it (UTC); null while nobody did.</summary>
    public DateTime? RevokedAt { get; set; }

    /// <summary>When it was last used (UTC), to a minute; null before the first use.</summary>
    public DateTime? LastUsedAt { get; set; }
}
