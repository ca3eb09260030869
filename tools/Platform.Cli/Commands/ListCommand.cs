using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>list</c>: lists tasks, newest first.</summary>
internal static class ListCommand
{
    public static Command Create(CliOptions options)
    {
        var status = new Option<string?>("--status")
        {
            Description = $"List only tasks with this status: {string.Join(", ", HeavyTask.Statuses)}",
            HelpName = "status",
        };
        var kind = new Option<string?>("--kind") { Description = "List only tasks of this kind", HelpName = "kind" };
        var limit = LimitOption.Create("tasks");
        var all = new Option<bool>("--all") { Description = "List all tasks, however many there are" };
        var command = new Command("list", "List tasks, newest first") { status, kind, limit, all };
        command.Validators.Add(result =>
        {
            if (result.GetResult(all) is { Implicit: false } && result.GetResult(limit) is { Implicit: false })
            {
                result.AddError("--all and --limit cannot be combined.");
            }
        });
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var wanted = parse.GetValue(all) ? int.MaxValue : parse.GetValue(limit) ?? LimitOption.Default;
                var (ofStatus, ofKind) = (parse.GetValue(status), parse.GetValue(kind));
                var pages = new Pages<HeavyTask>(
                    (cursor, size, cancel) => session.Client.ListAsync(ofStatus, ofKind, cursor, size, cancel),
                    wanted
                );
                HeavyTaskTable? table = null;
                return await PagedOutput.WriteAsync(
                    session,
                    pages,
                    tasks => (table ??= new HeavyTaskTable(session.Terminal, session.Host.Clock, tasks)).Write(tasks),
                    "There are more: use --all, or a larger --limit.",
                    cancellationToken
                );
            }
        );
        return command;
    }
}
