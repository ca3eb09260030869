namespace Platform.Cli.Api;

/// <summary>The body of <c>POST /keys</c>.</summary>
/// <param name="Name">What the key is for.</param>
/// <param name="Roles">What its holder may do.</param>
/// <param name="Tenant">The tenant whose tasks and files it reaches; null for all.</param>
/// <param name="ExpiresAt">When it ends (UTC); null for never.</param>
internal sealed record NewApiKey(string Name, IReadOnlyList<string> Roles, string? Tenant, DateTime? ExpiresAt);

/// <summary>The answer of <c>POST /keys</c>, the only one that has the key itself.</summary>
internal sealed record CreatedApiKey
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public IReadOnlyList<string> Roles { get; init; } = [];

    public string? Tenant { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>The key itself. The API keeps only its hash.</summary>
    public string Key { get; init; } = "";
}

/// <summary><c>GET /keys</c>.</summary>
internal sealed record ApiKeyList
{
    public required IReadOnlyList<ApiKeyDescription> Items { get; init; }
}

/// <summary>What the API tells of a key.</summary>
internal sealed record ApiKeyDescription
{
    public string Id { get; init; } = "";

    public string Name { get; init; } = "";

    public IReadOnlyList<string> Roles { get; init; } = [];

    public string? Tenant { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>When the key was last used, to about a minute.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
}
