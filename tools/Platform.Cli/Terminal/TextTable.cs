using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>
/// Writes rows of aligned columns, one line per row whatever the terminal's width: a table whose cells wrap cannot be read, cut or
/// searched. A text that is wider than its column moves the rest of its row to the right.
/// </summary>
/// <param name="terminal">Where to write.</param>
/// <param name="widths">The widths of all columns but the last, which takes the rest.</param>
internal sealed class TextTable(CliTerminal terminal, params int[] widths)
{
    private const int Gap = 2;

    /// <summary>The least width of the last column, however narrow the terminal is.</summary>
    private const int MinLastColumn = 20;

    /// <summary>Whether the last column is cut at the edge of the terminal. Only for text that can be read in full elsewhere.</summary>
    public bool FitsTerminal { get; init; }

    /// <summary>Writes one row.</summary>
    /// <param name="cells">One text for each column.</param>
    /// <param name="styledColumn">The column that has the <paramref name="style"/>.</param>
    /// <param name="style">The colour of that column, where there are colours.</param>
    public void WriteRow(IReadOnlyList<string> cells, int styledColumn = -1, Style? style = null)
    {
        var row = new Paragraph();
        var last = cells.Count - 1;
        while (last > 0 && cells[last].Length is 0)
        {
            last--;
        }

        for (var i = 0; i < last; i++)
        {
            row.Append(TerminalText.Line(cells[i]).PadRight(widths[i]), i == styledColumn ? style : null);
            row.Append(new string(' ', Gap));
        }

        var end = TerminalText.Line(cells[last]).TrimEnd();
        row.Append(last == widths.Length ? Fit(end) : end, last == styledColumn ? style : null);
        terminal.Write(row);
    }

    private string Fit(string text)
    {
        if (!FitsTerminal || terminal.OutputWidth is not { } width)
        {
            return text;
        }

        var room = Math.Max(width - widths.Sum() - (Gap * widths.Length), MinLastColumn);
        return text.Length <= room ? text : $"{text[..(room - 1)]}…";
    }
}
