using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>log ID</c>: shows the last lines that the handler of a task logged for people.</summary>
internal static class LogCommand
{
    /// <summary>The most lines that the API returns, and keeps of an attempt.</summary>
    private const int MaxLines = 1_000;

    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var limit = LimitOption.Create("lines", MaxLines);
        var attempt = new Option<int?>("--attempt") { Description = "Show lines of this attempt only", HelpName = "n" };
        var command = new Command("log", "Show the last lines that the handler of a task logged, oldest first") { id, limit, attempt };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var wanted = parse.GetValue(limit) ?? LimitOption.Default;
                var answer = await session.Client.GetLogAsync(parse.GetValue(id), wanted, parse.GetValue(attempt), cancellationToken);
                session.Write(answer, log => Print(session.Terminal, log, wanted));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static void Print(CliTerminal terminal, HeavyTaskLog log, int wanted)
    {
        int? attempt = null;
        foreach (var line in log.Lines)
        {
            if (line.Attempt != attempt)
            {
                attempt = line.Attempt;
                terminal.WriteLine($"attempt {attempt}");
            }

            var level = line.Level is "Information" or "" ? "" : $"{line.Level}: ";
            terminal.WriteLine($"{Figures.Time(line.At)}  {level}{line.Text}");
        }

        if (log.Lines.Count is 0)
        {
            // The API says nothing else to a key that may not see what tasks contain.
            terminal.WriteErrorLine("There are no lines: the handler logged none, or the key may not see them.");
        }
        else if (log.HasEarlier)
        {
            terminal.WriteErrorLine(
                wanted < MaxLines
                    ? $"There are earlier lines: use a larger --limit, up to {MaxLines}."
                    : "There are earlier lines: of one attempt all that are kept are shown with --attempt."
            );
        }
    }
}
