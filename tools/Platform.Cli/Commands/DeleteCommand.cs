using System.CommandLine;

namespace Platform.Cli.Commands;

/// <summary><c>delete ID</c>: deletes a task that has ended, with everything that belongs to it.</summary>
internal static class DeleteCommand
{
    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var command = new Command("delete", "Delete a task that has ended, with its attempts, log, result and result file") { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var deleted = parse.GetValue(id);
                await session.Client.DeleteAsync(deleted, cancellationToken);
                if (session.IsJson)
                {
                    session.WriteJson(json =>
                    {
                        json.WriteStartObject();
                        json.WriteString("deleted", deleted);
                        json.WriteEndObject();
                    });
                }
                else
                {
                    session.Terminal.WriteLine("Deleted.");
                }

                return ExitCode.Ok;
            }
        );
        return command;
    }
}
