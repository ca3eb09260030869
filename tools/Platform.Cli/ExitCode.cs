namespace Platform.Cli;

/// <summary>What a script learns from the process: the values are a contract, also written in docs/cli.md.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>The followed task failed or was cancelled.</summary>
    public const int TaskNotSucceeded = 1;

    /// <summary>Wrong arguments, or a local file that cannot be read or written.</summary>
    public const int Usage = 2;

    /// <summary>The API refused the request (4xx).</summary>
    public const int Refused = 3;

    /// <summary>The API cannot be reached, failed (5xx), or gave an answer that is not the API's or does not match its hash.</summary>
    public const int Unavailable = 4;

    /// <summary>Interrupted with Ctrl-C (128 + SIGINT).</summary>
    public const int Interrupted = 130;

    /// <summary>Asked to stop (128 + SIGTERM).</summary>
    public const int Terminated = 143;
}
