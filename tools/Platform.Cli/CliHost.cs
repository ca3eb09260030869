using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli;

/// <summary>What the process around a command provides. Tests give their own.</summary>
internal sealed record CliHost
{
    /// <summary>Where <c>@-</c> is read from.</summary>
    public required Func<Stream> StandardInput { get; init; }

    /// <summary>Bytes to standard output: JSON, and downloads with <c>-o -</c>.</summary>
    public required Stream StandardOutput { get; init; }

    /// <summary>Text to standard output and standard error.</summary>
    public required CliTerminal Terminal { get; init; }

    /// <summary>Standard output and standard error for the command line parser's own help and errors.</summary>
    public required TextWriter Output { get; init; }

    /// <inheritdoc cref="Output"/>
    public required TextWriter Error { get; init; }

    /// <summary>Reads an environment variable; null when it is not set.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>The clock of waits and timeouts.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>How long the API may take.</summary>
    public HttpTimeouts Timeouts { get; init; } = new();

    /// <summary>The host of a real process.</summary>
    public static CliHost FromProcess()
    {
        var isOutputInteractive = !Console.IsOutputRedirected && !IsDumbTerminal();
        var isErrorInteractive = !Console.IsErrorRedirected && !IsDumbTerminal();
        return new CliHost
        {
            StandardInput = Console.OpenStandardInput,
            StandardOutput = Console.OpenStandardOutput(),
            Output = Console.Out,
            Error = Console.Error,
            Terminal = new CliTerminal(Console.Out, Console.Error, isOutputInteractive, isErrorInteractive),
            Environment = System.Environment.GetEnvironmentVariable,
        };
    }

    /// <summary>
    /// Build servers may offer a pseudo terminal, but nobody watches it and its log keeps every redraw: <c>CI</c> is their common sign.
    /// </summary>
    private static bool IsDumbTerminal() =>
        System.Environment.GetEnvironmentVariable("TERM") is "dumb"
        || System.Environment.GetEnvironmentVariable("CI") is { Length: > 0 } and not "false";
}
