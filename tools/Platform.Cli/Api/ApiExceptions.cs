namespace Platform.Cli.Api;

/// <summary>
/// Thrown when the API answered 4xx: it would be useless to repeat the request unchanged. The exit code is <see cref="ExitCode.Refused"/>.
/// </summary>
internal sealed class ApiRefusedException(ProblemDetails problem) : Exception(problem.Title)
{
    public ProblemDetails Problem { get; } = problem;
}

/// <summary>
/// Thrown when there is no usable answer: the API cannot be reached, is too slow, fails (5xx), does not send its JSON, or a download does
/// not match its hash. The exit code is <see cref="ExitCode.Unavailable"/>.
/// </summary>
internal sealed class ApiUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The problem document of the API, if it answered 5xx with one.</summary>
    public ProblemDetails? Problem { get; init; }

    /// <summary>Whether there was no connection, so that the API cannot have done anything.</summary>
    public bool IsUnreachable { get; init; }
}
