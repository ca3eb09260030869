using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>
/// The two text streams of the process. Standard output gets the result of a command; progress and errors go to standard error, so that
/// they never enter a pipe. <see cref="TerminalText"/> cleans all text that is written through this class.
/// </summary>
internal sealed class CliTerminal
{
    private readonly IAnsiConsole output;
    private readonly TextWriter outputWriter;
    private readonly TextWriter errorWriter;

    /// <param name="outputWriter">Standard output as text.</param>
    /// <param name="errorWriter">Standard error as text.</param>
    /// <param name="isOutputInteractive">
    /// Whether a person reads standard output on a terminal: then text is coloured and fits the terminal's width.
    /// </param>
    /// <param name="isErrorInteractive">
    /// Whether a person reads standard error on a terminal: then progress bars are redrawn in place.
    /// </param>
    public CliTerminal(TextWriter outputWriter, TextWriter errorWriter, bool isOutputInteractive, bool isErrorInteractive)
    {
        this.outputWriter = outputWriter;
        this.errorWriter = errorWriter;
        IsInteractive = isErrorInteractive;
        output = CreateConsole(outputWriter, isOutputInteractive);
        Error = CreateConsole(errorWriter, isErrorInteractive);
        OutputWidth = isOutputInteractive ? output.Profile.Width : null;
        // Lines are never broken here: a terminal wraps long lines itself, and every other reader needs them whole.
        output.Profile.Width = int.MaxValue;
    }

    /// <summary>The width in columns of the terminal that shows standard output; null when the output goes elsewhere.</summary>
    public int? OutputWidth { get; }

    /// <summary>Whether progress can be drawn in place.</summary>
    public bool IsInteractive { get; }

    /// <summary>Standard error, for progress bars.</summary>
    public IAnsiConsole Error { get; }

    /// <summary>Writes one line of the result.</summary>
    public void WriteLine(string? line) => outputWriter.WriteLine(TerminalText.Line(line));

    /// <summary>Writes several lines unchanged, each after <paramref name="indent"/>.</summary>
    public void WriteBlock(string? text, string indent = "")
    {
        foreach (var line in TerminalText.Block(text).TrimEnd().Split('\n'))
        {
            outputWriter.WriteLine(indent + line);
        }
    }

    /// <summary>Writes one line that has colours. Its text must have been cleaned.</summary>
    public void Write(Paragraph line)
    {
        output.Write(line);
        output.WriteLine();
    }

    /// <summary>Writes one line of progress, advice or error.</summary>
    public void WriteErrorLine(string? line) => errorWriter.WriteLine(TerminalText.Line(line));

    /// <summary>Writes a question, behind which its answer is typed.</summary>
    public void WriteQuestion(string question)
    {
        errorWriter.Write($"{TerminalText.Line(question)} ");
        errorWriter.Flush();
    }

    /// <summary>Escapes text for places that accept only markup, so that they show exactly <paramref name="text"/>.</summary>
    public static string Markup(string? text) => Spectre.Console.Markup.Escape(TerminalText.Line(text));

    private static IAnsiConsole CreateConsole(TextWriter writer, bool interactive) =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = interactive ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = interactive ? InteractionSupport.Yes : InteractionSupport.No,
                // The default enrichers for build servers would turn interaction off again, or turn on colours in a file.
                Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            }
        );
}
