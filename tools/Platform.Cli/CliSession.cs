using System.Text.Encodings.Web;
using System.Text.Json;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli;

/// <summary>One run of one command.</summary>
internal sealed class CliSession(CliHost host, PlatformClient client, bool isJson) : IDisposable
{
    /// <summary>
    /// Writes characters as they are instead of as \u escapes. Control characters stay escaped, so that they cannot harm a terminal.
    /// </summary>
    private static readonly JsonWriterOptions jsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public CliHost Host => host;

    public CliTerminal Terminal => host.Terminal;

    public PlatformClient Client => client;

    /// <summary>Whether standard output is for a program and takes JSON only.</summary>
    public bool IsJson => isJson;

    /// <summary>Prints an answer: as the API's JSON in one line, or as <paramref name="print"/> shows it to people.</summary>
    public void Write<T>(Answer<T> answer, Action<T> print)
    {
        if (IsJson)
        {
            WriteJson(answer.Json.WriteTo);
        }
        else
        {
            print(answer.Value);
        }
    }

    /// <summary>Prints one JSON document and a line break.</summary>
    public void WriteJson(Action<Utf8JsonWriter> write)
    {
        using (var writer = OpenJson())
        {
            write(writer);
        }

        host.StandardOutput.Write("\n"u8);
        host.StandardOutput.Flush();
    }

    /// <summary>Opens a writer on standard output, for documents that are longer than one answer.</summary>
    public Utf8JsonWriter OpenJson() => new(host.StandardOutput, jsonOptions);

    /// <summary>Asks a person a question; only <c>y</c> or <c>yes</c> is yes.</summary>
    public async Task<bool> AskAsync(string question, CancellationToken cancellationToken)
    {
        Terminal.WriteQuestion($"{question} [y/N]");
        // A read of a terminal cannot be cancelled. It is left behind when Ctrl-C is the answer.
        var reading = Task.Run(
            () =>
            {
                using var input = new StreamReader(host.StandardInput());
                return input.ReadLine();
            },
            CancellationToken.None
        );
        try
        {
            var answer = await reading.WaitAsync(cancellationToken);
            return answer?.Trim().ToUpperInvariant() is "Y" or "YES";
        }
        catch (OperationCanceledException)
        {
            Terminal.WriteErrorLine("");
            throw;
        }
    }

    public void Dispose() => client.Dispose();
}
