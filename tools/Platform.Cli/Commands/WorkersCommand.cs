using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>workers</c>: lists the living instances that run tasks; below it <c>drain</c> and <c>resume</c>.</summary>
internal static class WorkersCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("workers", "List the processes that run tasks; drain and resume one")
        {
            DrainWorkerCommand.CreateDrain(options),
            DrainWorkerCommand.CreateResume(options),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.ListServicesAsync(cancellationToken);
                session.Write(answer, list => WorkerTable.Write(session.Terminal, list));
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
