using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli;

/// <summary>What the surrounding process provides to a command. Tests provide their own.</summary>
internal sealed record CliHost
{
    /// <summary>The stream that <c>@-</c> reads.</summary>
    public required Func<Stream> StandardInput { get; init; }

    /// <summary>Whether a person can be asked, and answers on standard input.</summary>
    public bool CanAsk { get; init; }

    /// <summary>Takes the bytes for standard output: JSON, and downloads with <c>-o -</c>.</summary>
    public required Stream StandardOutput { get; init; }

    /// <summary>Takes the text for standard output and standard error.</summary>
    public required CliTerminal Terminal { get; init; }

    /// <summary>Standard output and standard error for the command line parser's own help and errors.</summary>
    public required TextWriter Output { get; init; }

    /// <inheritdoc cref="Output"/>
    public required TextWriter Error { get; init; }

    /// <summary>Reads an environment variable; null when it is not set.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>The clock that measures waits and timeouts.</summary>
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
            CanAsk = isErrorInteractive && !Console.IsInputRedirected,
            StandardOutput = Console.OpenStandardOutput(),
            Output = Console.Out,
            Error = Console.Error,
            Terminal = new CliTerminal(Console.Out, Console.Error, isOutputInteractive, isErrorInteractive),
            Environment = System.Environment.GetEnvironmentVariable,
        };
    }

    /// <summary>
    /// Whether progress must not be redrawn in place. Build servers may offer a pseudo terminal, but nobody watches it and its log keeps
    /// every redraw; they usually set <c>CI</c>.
    /// </summary>
    private static bool IsDumbTerminal() =>
        System.Environment.GetEnvironmentVariable("TERM") is "dumb"
        || System.Environment.GetEnvironmentVariable("CI") is { Length: > 0 } and not "false";
}
