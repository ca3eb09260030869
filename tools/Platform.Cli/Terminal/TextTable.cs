using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>
/// Rows of aligned columns, one line a row whatever the terminal's width: a table that wraps inside its cells cannot be read, cut or
/// searched. A text that is wider than its column pushes the rest of its row aside.
/// </summary>
/// <param name="terminal">Where to write.</param>
/// <param name="widths">Of all columns but the last, which takes what it needs.</param>
internal sealed class TextTable(CliTerminal terminal, params int[] widths)
{
    private const int Gap = 2;

    /// <summary>However narrow the terminal, so much of the last column is shown.</summary>
    private const int MinLastColumn = 20;

    /// <summary>Whether the last column ends at the edge of the terminal. Only for text that can be read in full elsewhere.</summary>
    public bool FitsTerminal { get; init; }

    /// <summary>Writes one row.</summary>
    /// <param name="cells">As many as there are columns.</param>
    /// <param name="styledColumn">The column that <paramref name="style"/> is for.</param>
    /// <param name="style">Its colour, where there are colours.</param>
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
