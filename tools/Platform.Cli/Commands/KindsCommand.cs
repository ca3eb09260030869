using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>kinds</c>: lists the kinds that can be submitted and their parameters; below it what an operator does with one.</summary>
internal static class KindsCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("kinds", "List the kinds of task and their parameters; pause, resume, limit and purge one")
        {
            PauseKindCommand.CreatePause(options),
            PauseKindCommand.CreateResume(options),
            SetKindSlotsCommand.Create(options),
            PurgeKindCommand.Create(options),
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.ListKindsAsync(cancellationToken);
                session.Write(
                    answer,
                    kinds =>
                    {
                        foreach (var kind in kinds)
                        {
                            session.Terminal.WriteLine($"{kind.Kind}{Settings(kind)}");
                            session.Terminal.WriteLine($"  {kind.Description}");
                            foreach (var parameter in ParameterSchema.Read(kind.Parameters))
                            {
                                var required = parameter.IsRequired ? "required  " : "";
                                session.Terminal.WriteLine(
                                    $"    {parameter.Path, -24} {parameter.Type, -16} {required}{parameter.Description}".TrimEnd()
                                );
                            }
                        }
                    }
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }

    /// <summary>What an operator set for a kind.</summary>
    private static string Settings(KindDescription kind)
    {
        string[] settings =
        [
            .. kind.PausedAt is { } since ? [$"paused since {Figures.Time(since)}"] : Array.Empty<string>(),
            .. kind.Slots is { } slots ? [SlotText.Limit(slots)] : Array.Empty<string>(),
        ];
        return settings.Length is 0 ? "" : $" ({string.Join("; ", settings)})";
    }
}
