namespace Platform.Cli.Api;

/// <summary>The API answered 4xx: asking again as it is would be useless. Ends with <see cref="ExitCode.Refused"/>.</summary>
internal sealed class ApiRefusedException(ProblemDetails problem) : Exception(problem.Title)
{
    public ProblemDetails Problem { get; } = problem;
}

/// <summary>
/// No usable answer: not reachable, too slow, 5xx, not the API's JSON, or a download that does not match its hash.
/// Ends with <see cref="ExitCode.Unavailable"/>.
/// </summary>
internal sealed class ApiUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The API's own words, when it answered 5xx.</summary>
    public ProblemDetails? Problem { get; init; }
}
