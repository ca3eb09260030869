using System.CommandLine;
using Platform.Cli.Following;

namespace Platform.Cli.Commands;

/// <summary><c>follow ID</c>: shows a task's progress until it ends. Ctrl-C stops following; the task goes on.</summary>
internal static class FollowCommand
{
    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var command = new Command("follow", "Follow a task to its end; exits with 1 if it failed or was cancelled") { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                return await TaskFollowing.RunAsync(session, parse.GetValue(id), isReachable: false, cancellationToken);
            }
        );
        return command;
    }
}
