namespace Platform.Cli.Api;

/// <summary>Who did what: one entry of <c>GET /audit</c>.</summary>
internal sealed record AuditEntry
{
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The id of the key that was used; empty for a command.</summary>
    public string Actor { get; init; } = "";

    public string ActorName { get; init; } = "";

    public string? Tenant { get; init; }

    public string Action { get; init; } = "";

    public string? Target { get; init; }

    public string Outcome { get; init; } = "";

    public string Address { get; init; } = "";
}
