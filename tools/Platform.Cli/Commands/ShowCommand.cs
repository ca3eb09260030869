using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>show ID</c>: shows everything about one task, with its attempts.</summary>
internal static class ShowCommand
{
    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var command = new Command("show", "Show a task and its attempts") { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.GetAsync(parse.GetValue(id), cancellationToken);
                session.Write(answer, task => HeavyTaskText.WriteDetails(session.Terminal, task));
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
