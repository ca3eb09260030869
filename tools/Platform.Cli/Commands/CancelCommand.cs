using System.CommandLine;
using Platform.Cli.Api;

namespace Platform.Cli.Commands;

/// <summary><c>cancel ID</c>: cancels a task. A waiting task never runs; a running task is told to stop.</summary>
internal static class CancelCommand
{
    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var command = new Command("cancel", "Cancel a task that waits or runs") { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.CancelAsync(parse.GetValue(id), cancellationToken);
                session.Write(answer, task => session.Terminal.WriteLine(Describe(task)));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static string Describe(HeavyTask task) =>
        task.IsFinished ? $"{task.Status}." : $"Cancel requested; the task is still {task.Status}. See: platform follow {task.Id}";
}
