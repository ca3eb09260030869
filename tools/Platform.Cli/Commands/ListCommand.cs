using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>list</c>: lists tasks, newest first.</summary>
internal static class ListCommand
{
    private const int DefaultLimit = 50;

    /// <summary>The largest page that the API returns.</summary>
    private const int MaxPage = 200;

    public static Command Create(CliOptions options)
    {
        var status = new Option<string?>("--status")
        {
            Description = $"List only tasks with this status: {string.Join(", ", HeavyTask.Statuses)}",
            HelpName = "status",
        };
        var kind = new Option<string?>("--kind") { Description = "List only tasks of this kind", HelpName = "kind" };
        var limit = new Option<int?>("--limit") { Description = $"The most tasks to list (default: {DefaultLimit})", HelpName = "n" };
        limit.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int?>() < 1)
            {
                result.AddError("--limit must be 1 or more.");
            }
        });
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
                var wanted = parse.GetValue(all) ? int.MaxValue : parse.GetValue(limit) ?? DefaultLimit;
                var pages = new HeavyTaskPages(session.Client, parse.GetValue(status), parse.GetValue(kind), wanted, MaxPage);
                return session.IsJson
                    ? await WriteJsonAsync(session, pages, cancellationToken)
                    : await WriteTableAsync(session, pages, cancellationToken);
            }
        );
        return command;
    }

    private static async Task<int> WriteTableAsync(CliSession session, HeavyTaskPages pages, CancellationToken cancellationToken)
    {
        HeavyTaskTable? table = null;
        await foreach (var page in pages.ReadAsync(cancellationToken))
        {
            table ??= new HeavyTaskTable(session.Terminal, session.Host.Clock, page.Value.Items);
            table.Write(page.Value.Items);
        }

        if (pages.Next is not null)
        {
            session.Terminal.WriteErrorLine("There are more: use --all, or a larger --limit.");
        }

        return ExitCode.Ok;
    }

    /// <summary>Writes one document in the shape of one page, however many pages were read; items are written as they arrive.</summary>
    private static async Task<int> WriteJsonAsync(CliSession session, HeavyTaskPages pages, CancellationToken cancellationToken)
    {
        await using var stream = pages.ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        // Nothing is printed before the first answer, so that standard output stays empty if the API refuses.
        var hasPage = await stream.MoveNextAsync();
        await using (var writer = session.OpenJson())
        {
            writer.WriteStartObject();
            writer.WriteStartArray("items");
            for (; hasPage; hasPage = await stream.MoveNextAsync())
            {
                foreach (var item in stream.Current.Json.GetProperty("items").EnumerateArray())
                {
                    item.WriteTo(writer);
                }

                await writer.FlushAsync(cancellationToken);
            }

            writer.WriteEndArray();
            writer.WriteString("next", pages.Next);
            writer.WriteEndObject();
        }

        await session.Host.StandardOutput.WriteAsync("\n"u8.ToArray(), cancellationToken);
        return ExitCode.Ok;
    }
}
