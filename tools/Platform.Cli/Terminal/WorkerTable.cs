using Platform.Cli.Api;
using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>Writes the instances that run tasks as rows.</summary>
internal static class WorkerTable
{
    private const int DrainColumn = 5;

    public static void Write(CliTerminal terminal, ServiceList list)
    {
        string[] titles = ["id", "service", "host", "version", "tasks", "drains since"];
        var rows = list
            .Services.SelectMany(service =>
                service
                    .Instances.Where(instance => instance.Slots > 0)
                    .Select(instance =>
                        new[]
                        {
                            instance.Id.ToString(),
                            service.Name,
                            instance.Host,
                            instance.Version,
                            $"{Figures.Count(instance.InFlight)}/{Figures.Count(instance.Slots)}",
                            Figures.Time(instance.DrainedAt),
                        }
                    )
            )
            .ToList();
        var widths = titles
            .SkipLast(1)
            .Select((title, i) => rows.Select(row => TerminalText.Line(row[i]).Length).Append(title.Length).Max());
        var table = new TextTable(terminal, [.. widths]);
        table.WriteRow(titles);
        foreach (var row in rows)
        {
            table.WriteRow(row, DrainColumn, new Style(Color.Yellow));
        }
    }
}
