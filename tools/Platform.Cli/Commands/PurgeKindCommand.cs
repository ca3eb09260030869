using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>kinds purge KIND</c>: cancels all tasks of a kind that wait.</summary>
internal static class PurgeKindCommand
{
    public static Command Create(CliOptions options)
    {
        var kind = KindArgument.Create();
        var yes = new Option<bool>("--yes") { Description = "Do not ask; required where nobody can be asked" };
        var command = new Command("purge", "Cancel all tasks of a kind that wait; what runs goes on") { kind, yes };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var name = parse.GetRequiredValue(kind);
                if (!parse.GetValue(yes) && !await ConfirmAsync(session, name, cancellationToken))
                {
                    session.Terminal.WriteErrorLine("Nothing was cancelled.");
                    return ExitCode.Usage;
                }

                var cancelled = await PurgeAsync(session, name, cancellationToken);
                Write(session, name, cancelled);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static Task<bool> ConfirmAsync(CliSession session, string kind, CancellationToken cancellationToken) =>
        session.Host.CanAsk
            ? session.AskAsync($"Cancel all tasks of {kind} that wait?", cancellationToken)
            : throw new UsageException("Nobody can be asked whether to cancel all waiting tasks of a kind: --yes says so.");

    /// <summary>Asks the API again for as long as it says that there are more.</summary>
    /// <returns>How many tasks were cancelled.</returns>
    private static async Task<long> PurgeAsync(CliSession session, string kind, CancellationToken cancellationToken)
    {
        var cancelled = 0L;
        DateTime? before = null;
        try
        {
            while (true)
            {
                var purged = (await session.Client.PurgeAsync(kind, before, cancellationToken)).Value;
                cancelled += purged.Cancelled;

                // What is submitted meanwhile nobody has agreed to.
                before ??= purged.CreatedBefore;
                if (!purged.HasMore || purged.Cancelled is 0)
                {
                    return cancelled;
                }

                session.Terminal.WriteErrorLine($"{Tasks(cancelled)} cancelled so far.");
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ApiUnavailableException { IsUnreachable: false } || cancelled > 0)
        {
            // The API works in many transactions. What it had done when the connection ended stays done, and no answer tells how much.
            session.Terminal.WriteErrorLine($"Stopped after {Tasks(cancelled)}; the last request may have cancelled more.");
            throw;
        }
    }

    private static void Write(CliSession session, string kind, long cancelled)
    {
        if (session.IsJson)
        {
            session.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("kind", kind);
                json.WriteNumber("cancelled", cancelled);
                json.WriteEndObject();
            });
        }
        else
        {
            session.Terminal.WriteLine(cancelled is 0 ? $"No task of {kind} waited." : $"{Tasks(cancelled)} cancelled.");
        }
    }

    private static string Tasks(long count) => count is 1 ? "1 task" : $"{Figures.Count(count)} tasks";
}
