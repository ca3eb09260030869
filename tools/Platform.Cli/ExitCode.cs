namespace Platform.Cli;

/// <summary>What the process tells a script. The values are a contract, also documented in docs/cli.md.</summary>
internal static class ExitCode
{
    /// <summary>The command succeeded.</summary>
    public const int Ok = 0;

    /// <summary>The followed task failed or was cancelled.</summary>
    public const int TaskNotSucceeded = 1;

    /// <summary>The arguments are wrong, or a local file cannot be read or written.</summary>
    public const int Usage = 2;

    /// <summary>The API refused the request (4xx).</summary>
    public const int Refused = 3;

    /// <summary>
    /// The API cannot be reached, failed (5xx), or gave an answer that does not come from the API or does not match its hash.
    /// </summary>
    public const int Unavailable = 4;

    /// <summary><c>demo</c>: the numbers do not agree. <c>doctor</c>: something is wrong.</summary>
    public const int Found = 5;

    /// <summary>Ctrl-C interrupted the command (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>SIGTERM ended the command (128 + SIGTERM).</summary>
    public const int Terminated = 143;
}
