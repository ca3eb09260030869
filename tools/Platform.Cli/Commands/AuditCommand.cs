using System.CommandLine;
using Platform.Cli.Access;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>audit</c>: lists who did what, newest first.</summary>
internal static class AuditCommand
{
    public static Command Create(CliOptions options)
    {
        var target = CreateIdOption("--target", "List only what was done to this task, kind, worker or key");
        var actor = CreateIdOption("--actor", "List only what was done with this key");
        var limit = LimitOption.Create("entries");
        var command = new Command("audit", "List who did what to tasks, kinds, workers and keys, newest first") { target, actor, limit };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var (ofTarget, ofActor) = (parse.GetValue(target), parse.GetValue(actor));
                var pages = new Pages<AuditEntry>(
                    (cursor, size, cancel) => session.Client.ListAuditAsync(ofTarget, ofActor, cursor, size, cancel),
                    parse.GetValue(limit) ?? LimitOption.Default
                );
                AuditTable? table = null;
                return await PagedOutput.WriteAsync(
                    session,
                    pages,
                    entries => (table ??= new AuditTable(session.Terminal, entries)).Write(entries),
                    "There are more: use a larger --limit, --target or --actor.",
                    cancellationToken
                );
            }
        );
        return command;
    }

    /// <summary>The value becomes part of the address, which servers log, so a key itself is refused.</summary>
    private static Option<string?> CreateIdOption(string name, string description)
    {
        var option = new Option<string?>(name) { Description = description, HelpName = "id" };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Any(token => ApiKeyText.Contains(token.Value)))
            {
                result.AddError($"{name} takes an id.");
            }
        });
        return option;
    }
}
