namespace Platform.Cli.Api;

/// <summary><c>GET /audit</c>: who did what, newest first.</summary>
internal sealed record AuditPage
{
    public IReadOnlyList<AuditEntry>? Items { get; init; }

    /// <summary>The cursor of the next page; null on the last one.</summary>
    public string? Next { get; init; }
}

/// <summary>Who did what.</summary>
internal sealed record AuditEntry
{
    public DateTimeOffset At { get; init; }

    /// <summary>The id of the key that was used; empty for a command.</summary>
    public string Actor { get; init; } = "";

    public string ActorName { get; init; } = "";

    public string? Tenant { get; init; }

    public string Action { get; init; } = "";

    public string? Target { get; init; }

    public string Outcome { get; init; } = "";

    public string Address { get; init; } = "";
}
