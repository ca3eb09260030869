using System.CommandLine;

namespace Platform.Cli.Commands;

/// <summary><c>retry ID</c>: runs a failed or cancelled task again.</summary>
internal static class RetryCommand
{
    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var command = new Command("retry", "Run a failed or cancelled task again") { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.RetryAsync(parse.GetValue(id), cancellationToken);
                session.Write(answer, task => session.Terminal.WriteLine($"{task.Status}. See: platform follow {task.Id}"));
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
