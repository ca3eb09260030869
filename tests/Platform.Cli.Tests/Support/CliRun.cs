using System.Text;
using System.Text.Json;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Tests.Support;

/// <summary>One command line that ran inside the test's process, with everything that a caller of the program would see of it.</summary>
internal sealed record CliRun(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>Standard output as the one JSON document that it must be.</summary>
    public JsonElement Json => JsonElement.Parse(OutputBytes);

    public string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static Task<CliRun> RunAsync(StandInApi api, params string[] args) => RunAsync(api, new Surroundings(), args);

    public static Task<CliRun> RunAsync(StandInApi api, Surroundings surroundings, params string[] args) =>
        RunAsync(surroundings, ["--url", api.Url, .. args]);

    public static async Task<CliRun> RunAsync(Surroundings surroundings, params string[] args)
    {
        var output = new MemoryStream();
        var outputWriter = new StreamWriter(output, new UTF8Encoding(false)) { AutoFlush = true };
        var error = new TappedWriter(surroundings.ErrorTap);
        var host = new CliHost
        {
            StandardInput = () => new MemoryStream(Encoding.UTF8.GetBytes(surroundings.Input)),
            CanAsk = surroundings.CanAsk,
            StandardOutput = output,
            Output = outputWriter,
            Error = error,
            Terminal = new CliTerminal(outputWriter, error, isOutputInteractive: false, surroundings.IsInteractive),
            Environment = name => surroundings.Environment.GetValueOrDefault(name),
            Clock = surroundings.Clock,
            Timeouts = surroundings.Timeouts,
        };
        var exitCode = await PlatformCli.RunAsync(args, host, surroundings.CancellationToken);
        return new CliRun(exitCode, output.ToArray(), error.ToString());
    }
}

/// <summary>The surroundings of a command. The defaults are those of a build server's log.</summary>
internal sealed record Surroundings
{
    public string Input { get; init; } = "";

    public bool IsInteractive { get; init; }

    /// <summary>Whether the input is what a person types on a terminal.</summary>
    public bool CanAsk { get; init; }

    public Dictionary<string, string> Environment { get; init; } = [];

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public HttpTimeouts Timeouts { get; init; } = new();

    /// <summary>Watches standard error while it is written.</summary>
    public LineAwaiter? ErrorTap { get; init; }

    /// <summary>Cancelled by Ctrl-C.</summary>
    public CancellationToken CancellationToken { get; init; } = TestContext.Current.CancellationToken;
}

/// <summary>Collects text, from several threads (a progress bar draws on its own), and shows each part to a watcher.</summary>
internal sealed class TappedWriter(LineAwaiter? tap) : TextWriter
{
    private readonly StringBuilder text = new();

    public override Encoding Encoding => new UTF8Encoding(false);

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(string? value)
    {
        lock (text)
        {
            text.Append(value);
            tap?.Write(value);
        }
    }

    public override string ToString()
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
