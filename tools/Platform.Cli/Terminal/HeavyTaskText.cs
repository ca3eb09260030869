using System.Text.Json;
using Platform.Cli.Api;

namespace Platform.Cli.Terminal;

/// <summary>Writes one task as text.</summary>
internal static class HeavyTaskText
{
    /// <summary>Writes how a task ended and what can be done now.</summary>
    public static void WriteOutcome(CliTerminal terminal, HeavyTask task)
    {
        var duration = Figures.Duration(task.StartedAt, task.FinishedAt);
        terminal.WriteLine(
            (task.Status, duration) switch
            {
                ("Failed", _) => $"Failed, attempt {task.Attempt}.",
                (_, "") => $"{task.Status}.",
                _ => $"{task.Status} after {duration}.",
            }
        );
        WriteResult(terminal, task.Result);
        if (task is { HasSucceeded: false, Error: { Length: > 0 } error })
        {
            terminal.WriteBlock(error, "  ");
        }

        if (task.Links?.Result is not null)
        {
            terminal.WriteLine($"Result file: platform download {task.Id}");
        }

        if (task.Links?.Retry is not null)
        {
            terminal.WriteLine($"Run it again: platform retry {task.Id}");
        }
    }

    /// <summary>Writes everything that the API tells about a task.</summary>
    public static void WriteDetails(CliTerminal terminal, HeavyTask task)
    {
        var maxFailures = task.MaxFailures is { } max ? $" of {max}" : "";
        Field(terminal, "id", task.Id.ToString());
        Field(terminal, "kind", task.Kind);
        Field(terminal, "status", task is { CancelRequested: true, IsFinished: false } ? $"{task.Status}, cancel requested" : task.Status);
        Field(terminal, "progress", Figures.Progress(task.Progress));
        Field(terminal, "attempt", $"{task.Attempt} (failures {task.Failures}{maxFailures}, crashes {task.Crashes})");
        Field(terminal, "created", Figures.Time(task.CreatedAt));
        Field(terminal, "due", Figures.Time(task.DueAt));
        Field(terminal, "queued", Figures.Time(task.QueuedAt));
        Field(terminal, "started", Figures.Time(task.StartedAt));
        var duration = Figures.Duration(task.StartedAt, task.FinishedAt);
        Field(terminal, "finished", duration is "" ? Figures.Time(task.FinishedAt) : $"{Figures.Time(task.FinishedAt)} (after {duration})");
        Field(terminal, "tags", string.Join(", ", task.Tags ?? []));
        Field(terminal, "submitter", task.SubmittedBy ?? "");
        Field(terminal, "trace", task.TraceId ?? "");
        foreach (var (name, value) in task.More ?? [])
        {
            Field(terminal, name, Scalar(value));
        }

        Field(terminal, "can", Actions(task.Links));
        if (task.Result is { ValueKind: not JsonValueKind.Null })
        {
            terminal.WriteLine("result");
            WriteResult(terminal, task.Result);
        }

        // That of a task that succeeded later is the one of its attempt.
        if (task is { HasSucceeded: false, Error: { Length: > 0 } error })
        {
            terminal.WriteLine("error");
            terminal.WriteBlock(error, "  ");
        }

        if (task.Attempts is { Count: > 0 } attempts)
        {
            terminal.WriteLine("attempts");
            WriteAttempts(terminal, attempts);
        }
    }

    private static void Field(CliTerminal terminal, string name, string value)
    {
        if (value.Length > 0)
        {
            terminal.WriteLine($"{name, -9} {value}");
        }
    }

    private static string Scalar(JsonElement value) =>
        value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False ? $"{value}" : "";

    private static string Actions(HeavyTaskLinks? links) =>
        string.Join(
            ", ",
            new[]
            {
                links?.Cancel is null ? "" : "cancel",
                links?.Retry is null ? "" : "retry",
                links?.Result is null ? "" : "download",
                links?.Delete is null ? "" : "delete",
            }.Where(action => action.Length > 0)
        );

    /// <summary>Writes a result: a flat object of counts, which most results are, as lines; anything else as JSON.</summary>
    private static void WriteResult(CliTerminal terminal, JsonElement? result)
    {
        if (result is not { ValueKind: not JsonValueKind.Null } value)
        {
            return;
        }

        if (value.ValueKind is not JsonValueKind.Object)
        {
            terminal.WriteLine($"  {value.GetRawText()}");
            return;
        }

        var members = value.EnumerateObject().ToList();
        var width = members.Select(member => member.Name.Length).DefaultIfEmpty().Max();
        foreach (var member in members)
        {
            var text = member.Value.ValueKind switch
            {
                JsonValueKind.Number when member.Value.TryGetInt64(out var count) => Figures.Count(count),
                JsonValueKind.String => member.Value.GetString(),
                _ => member.Value.GetRawText(),
            };
            terminal.WriteLine($"  {member.Name.PadRight(width)}  {text}");
        }
    }

    private static void WriteAttempts(CliTerminal terminal, IReadOnlyList<HeavyTaskAttempt> attempts)
    {
        string[][] rows =
        [
            ["", "worker", "started", "ran", "outcome", "error"],
            .. attempts.Select(attempt =>
                (string[])
                    [
                        $"  {attempt.Attempt}",
                        attempt.Worker ?? "",
                        Figures.Time(attempt.StartedAt),
                        Figures.Duration(attempt.StartedAt, attempt.EndedAt),
                        attempt.Outcome ?? "",
                        attempt.Error ?? "",
                    ]
            ),
        ];
        var widths = Enumerable.Range(0, rows[0].Length - 1).Select(column => rows.Max(row => TerminalText.Line(row[column]).Length));
        var table = new TextTable(terminal, [.. widths]);
        foreach (var row in rows)
        {
            table.WriteRow(row);
        }
    }
}
