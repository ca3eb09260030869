using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>One entry of <c>GET /heavy-tasks/kinds</c>.</summary>
internal sealed record KindDescription
{
    /// <summary>The name of the kind.</summary>
    public required string Kind { get; init; }

    /// <summary>What tasks of this kind do.</summary>
    public string? Description { get; init; }

    /// <summary>Since when it is paused; null when it is not.</summary>
    public DateTimeOffset? PausedAt { get; init; }

    /// <summary>How many tasks of it each worker runs at once at most; null: as the workers are configured.</summary>
    public int? Slots { get; init; }

    /// <summary>The JSON schema of the parameters.</summary>
    public JsonElement Parameters { get; init; }
}
