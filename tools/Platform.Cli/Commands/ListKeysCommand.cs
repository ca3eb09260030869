using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>keys list</c>: lists the keys, valid ones first, without the keys themselves.</summary>
internal static class ListKeysCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("list", "List the keys: valid ones first, oldest first, then those that ended or were revoked");
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.ListKeysAsync(cancellationToken);
                session.Write(answer, keys => ApiKeyTable.Write(session.Terminal, keys.Items, session.Host.Clock.GetUtcNow()));
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
