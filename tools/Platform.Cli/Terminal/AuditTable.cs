using Platform.Cli.Api;
using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>Writes who did what as rows.</summary>
internal static class AuditTable
{
    private const int OutcomeColumn = 4;

    public static void Write(CliTerminal terminal, IReadOnlyList<AuditEntry> entries)
    {
        string[] titles = ["time", "who", "action", "target", "outcome", "tenant", "from"];
        var rows = entries
            .Select(entry =>
                new[]
                {
                    Figures.Time(entry.At),
                    entry.Actor.Length > 0 ? $"{entry.ActorName} ({entry.Actor})" : entry.ActorName,
                    entry.Action,
                    entry.Target ?? "-",
                    entry.Outcome,
                    entry.Tenant ?? "-",
                    entry.Address,
                }
            )
            .ToList();
        var widths = titles
            .SkipLast(1)
            .Select((title, i) => rows.Select(row => TerminalText.Line(row[i]).Length).Append(title.Length).Max());
        var table = new TextTable(terminal, [.. widths]);
        table.WriteRow(titles);
        foreach (var row in rows)
        {
            table.WriteRow(row, OutcomeColumn, row[OutcomeColumn] == "Done" ? Style.Plain : new Style(Color.Yellow));
        }
    }
}
