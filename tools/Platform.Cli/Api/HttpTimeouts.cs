namespace Platform.Cli.Api;

/// <summary>
/// How long to wait for the API. A streamed body has no limit on its total time, only on the time in which nothing moves:
/// ten gigabytes on a slow line are fine, a dead line is not.
/// </summary>
internal sealed record HttpTimeouts
{
    /// <summary>To open a connection. Default 5 s.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From the request to the headers of the answer. Default 30 s.</summary>
    public TimeSpan Response { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>As <see cref="Response"/>, for a request that is repeated anyway. Default 10 s.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Without a byte moving while a body is sent or received, and from the last byte of an upload to its answer. Default 60 s.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(60);
}
