namespace Platform.Cli.Api;

/// <summary>
/// How long to wait for the API. A streamed body has no limit on its total time, only on the time in which no byte moves: ten gigabytes on
/// a slow line are fine, a dead line is not.
/// </summary>
internal sealed record HttpTimeouts
{
    /// <summary>The time to open a connection. Default 5 s.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The time from the request to the headers of the answer. Default 30 s.</summary>
    public TimeSpan Response { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The same as <see cref="Response"/>, for a request that is repeated anyway. Default 10 s.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The same as <see cref="Response"/>, for a request that changes thousands of tasks. Default 2 min.</summary>
    public TimeSpan Purge { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The time in which no byte moves while a body is sent or received, and the time from the last byte of an upload to its answer.
    /// Default 60 s.
    /// </summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(60);
}
