using Platform.Cli.Api;
using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>Writes who did what as rows, page by page. The longest texts on the first page decide the widths of the columns.</summary>
internal sealed class AuditTable
{
    private const int OutcomeColumn = 4;

    private static readonly string[] titles = ["time", "who", "action", "target", "outcome", "from", "tenant"];

    private readonly TextTable table;

    /// <param name="terminal">Where to write.</param>
    /// <param name="firstPage">Decides the widths.</param>
    public AuditTable(CliTerminal terminal, IReadOnlyList<AuditEntry> firstPage)
    {
        var rows = firstPage.Select(Row).ToList();
        var widths = titles
            .SkipLast(1)
            .Select((title, i) => rows.Select(row => TerminalText.Line(row[i]).Length).Append(title.Length).Max());
        table = new TextTable(terminal, [.. widths]);
        table.WriteRow(titles);
    }

    /// <summary>Writes one page.</summary>
    public void Write(IEnumerable<AuditEntry> entries)
    {
        foreach (var entry in entries)
        {
            table.WriteRow(Row(entry), OutcomeColumn, entry.Outcome is "Done" ? Style.Plain : new Style(Color.Yellow));
        }
    }

    private static string[] Row(AuditEntry entry) =>
        [
            Figures.Time(entry.CreatedAt),
            entry.Actor.Length > 0 ? $"{entry.ActorName} ({entry.Actor})" : entry.ActorName,
            entry.Action,
            entry.Target ?? "-",
            entry.Outcome,
            entry.Address,
            entry.Tenant ?? "-",
        ];
}
