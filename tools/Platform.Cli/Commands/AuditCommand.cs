using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>audit</c>: lists who did what, newest first.</summary>
internal static class AuditCommand
{
    private const int DefaultLimit = 50;

    /// <summary>The largest page that the API returns.</summary>
    private const int MaxLimit = 200;

    public static Command Create(CliOptions options)
    {
        var target = new Option<string?>("--target") { Description = "List only what was done to this task or key", HelpName = "id" };
        var actor = new Option<string?>("--actor") { Description = "List only what was done with this key", HelpName = "id" };
        var limit = new Option<int?>("--limit")
        {
            Description = $"The most entries to list, 1 to {MaxLimit} (default: {DefaultLimit})",
            HelpName = "n",
        };
        limit.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int?>() is < 1 or > MaxLimit)
            {
                result.AddError($"--limit must be from 1 to {MaxLimit}.");
            }
        });
        var command = new Command("audit", "List who cancelled, retried, created and revoked what, newest first") { target, actor, limit };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.ListAuditAsync(
                    parse.GetValue(target),
                    parse.GetValue(actor),
                    parse.GetValue(limit) ?? DefaultLimit,
                    cancellationToken
                );
                session.Write(answer, page => AuditTable.Write(session.Terminal, page.Items!));
                if (answer.Value.Next is not null && !session.IsJson)
                {
                    session.Terminal.WriteErrorLine("There are more: use a larger --limit, --target or --actor.");
                }

                return ExitCode.Ok;
            }
        );
        return command;
    }
}
