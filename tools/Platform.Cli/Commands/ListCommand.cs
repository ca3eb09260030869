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
        var tag = new Option<string?>("--tag") { Description = "List only tasks with this tag", HelpName = "tag" };
        var from = TimeOption.Create(
            "--created-from",
            "List only tasks that were submitted then or later, ISO 8601; UTC unless it has an offset"
        );
        var before = TimeOption.Create("--created-before", "List only tasks that were submitted before, in the same form");
        var limit = LimitOption.Create("tasks");
        var all = new Option<bool>("--all") { Description = "List all tasks, however many there are" };
        var command = new Command("list", "List tasks, newest first") { status, kind, tag, from, before, limit, all };
        RefuseEmpty(status, kind, tag);
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
                var filter = new TaskFilter(
                    parse.GetValue(status),
                    parse.GetValue(kind),
                    parse.GetValue(tag),
                    parse.GetValue(from),
                    parse.GetValue(before)
                );
                var pages = new Pages<HeavyTask>((cursor, size, cancel) => session.Client.ListAsync(filter, cursor, size, cancel), wanted);
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

    /// <summary>
    /// Refuses a filter without a value, such as <c>--tag "$TAG"</c> with a variable that is not set: the API takes it for no filter, and a
    /// script would go on with the tasks of everybody.
    /// </summary>
    private static void RefuseEmpty(params Option<string?>[] filters)
    {
        foreach (var filter in filters)
        {
            filter.Validators.Add(result =>
            {
                if (result.Tokens is [{ Value: "" }])
                {
                    result.AddError($"{filter.Name} is empty.");
                }
            });
        }
    }
}
