namespace Platform.Cli.Api;

/// <summary>The answer to <c>POST /services/{id}/drain</c> and <c>/resume</c>.</summary>
internal sealed record WorkerDrain
{
    /// <summary>The id of the instance.</summary>
    public required Guid Id { get; init; }

    /// <summary>Since when it drains; null when it does not.</summary>
    public DateTimeOffset? DrainedAt { get; init; }
}
