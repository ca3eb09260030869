using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>
/// The two text streams of the process. Standard output carries what a command was asked for; progress and errors go to standard
/// error, so that a pipe never gets them. Text written through this class is cleaned by <see cref="TerminalText"/>.
/// </summary>
internal sealed class CliTerminal
{
    private readonly IAnsiConsole output;
    private readonly TextWriter outputWriter;
    private readonly TextWriter errorWriter;

    /// <param name="outputWriter">Standard output as text.</param>
    /// <param name="errorWriter">Standard error as text.</param>
    /// <param name="isOutputInteractive">A person reads standard output on a terminal: colours, and text that fits its width.</param>
    /// <param name="isErrorInteractive">A person reads standard error on a terminal: progress bars that redraw themselves.</param>
    public CliTerminal(TextWriter outputWriter, TextWriter errorWriter, bool isOutputInteractive, bool isErrorInteractive)
    {
        this.outputWriter = outputWriter;
        this.errorWriter = errorWriter;
        IsInteractive = isErrorInteractive;
        output = CreateConsole(outputWriter, isOutputInteractive);
        Error = CreateConsole(errorWriter, isErrorInteractive);
        OutputWidth = isOutputInteractive ? output.Profile.Width : null;
        // Lines are never broken here: a terminal wraps what is too long, and everything else wants it whole.
        output.Profile.Width = int.MaxValue;
    }

    /// <summary>Columns of the terminal that shows standard output; null when it goes elsewhere.</summary>
    public int? OutputWidth { get; }

    /// <summary>Whether progress can be drawn in place.</summary>
    public bool IsInteractive { get; }

    /// <summary>Standard error, for progress bars.</summary>
    public IAnsiConsole Error { get; }

    /// <summary>Writes one line of the result.</summary>
    public void WriteLine(string? line) => outputWriter.WriteLine(TerminalText.Line(line));

    /// <summary>Writes text of several lines as it is, each line after <paramref name="indent"/>.</summary>
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

    /// <summary>Text for the places where only markup is accepted; shows exactly <paramref name="text"/>.</summary>
    public static string Markup(string? text) => Spectre.Console.Markup.Escape(TerminalText.Line(text));

    private static IAnsiConsole CreateConsole(TextWriter writer, bool interactive) =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = interactive ? AnsiSupport.Yes : AnsiSupport.No,
                ColorSystem = interactive ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = interactive ? InteractionSupport.Yes : InteractionSupport.No,
                // The enrichers of build servers would turn interaction off again, or colours on in a file.
                Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            }
        );
}
