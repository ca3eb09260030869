namespace Platform.Cli.Api;

/// <summary>The answer to <c>POST /heavy-tasks/kinds/{kind}/pause</c> and <c>/resume</c>.</summary>
internal sealed record KindPause
{
    /// <summary>The name of the kind.</summary>
    public required string Kind { get; init; }

    /// <summary>Since when it is paused; null when it is not.</summary>
    public DateTimeOffset? PausedAt { get; init; }
}
