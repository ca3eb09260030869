using Platform.Cli.Api;
using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>Writes tasks as rows, page by page, so that the first rows appear at once and memory does not grow with the list.</summary>
internal sealed class HeavyTaskTable
{
    private const int IdWidth = 36;
    private const int StatusWidth = 9;
    private const int StatusColumn = 1;
    private const int AttemptWidth = 7;
    private const int TimeWidth = 20;
    private const int DurationWidth = 9;

    private readonly TimeProvider clock;
    private readonly TextTable table;

    /// <param name="terminal">Where to write.</param>
    /// <param name="clock">Tells how long a running task has been running.</param>
    /// <param name="firstPage">The longest kind on this page decides the width of that column.</param>
    public HeavyTaskTable(CliTerminal terminal, TimeProvider clock, IEnumerable<HeavyTask> firstPage)
    {
        this.clock = clock;
        var kindWidth = firstPage.Select(task => TerminalText.Line(task.Kind).Length).Append("kind".Length).Max();
        table = new TextTable(terminal, IdWidth, StatusWidth, kindWidth, AttemptWidth, TimeWidth, DurationWidth) { FitsTerminal = true };
        table.WriteRow(["id", "status", "kind", "attempt", "created", "ran", "progress or error"]);
    }

    /// <summary>Writes one page.</summary>
    public void Write(IEnumerable<HeavyTask> tasks)
    {
        foreach (var task in tasks)
        {
            table.WriteRow(
                [
                    task.Id.ToString(),
                    task.Status,
                    task.Kind,
                    Figures.Count(task.Attempt),
                    Figures.Time(task.CreatedAt),
                    Figures.Duration(task.StartedAt, task.FinishedAt ?? RunningUntil(task)),
                    task is { HasSucceeded: false, Error: { Length: > 0 } error } ? error : Figures.Progress(task.Progress),
                ],
                StatusColumn,
                Style(task.Status)
            );
        }
    }

    private DateTimeOffset? RunningUntil(HeavyTask task) => task.Status is "Running" ? clock.GetUtcNow() : null;

    private static Style? Style(string status) =>
        status switch
        {
            "Succeeded" => new Style(Color.Green),
            "Failed" => new Style(Color.Red),
            "Cancelled" => new Style(Color.Yellow),
            "Running" => new Style(Color.Blue),
            _ => default(Style?),
        };
}
