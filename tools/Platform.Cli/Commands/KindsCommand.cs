using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>kinds</c>: lists the kinds that can be submitted and their parameters; below it <c>pause</c> and <c>resume</c>.</summary>
internal static class KindsCommand
{
    public static Command Create(CliOptions options)
    {
        var command = new Command("kinds", "List the kinds of task and their parameters; pause and resume one")
        {
            PauseKindCommand.CreatePause(options),
            PauseKindCommand.CreateResume(options),
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
                            session.Terminal.WriteLine(
                                kind.PausedAt is { } since ? $"{kind.Kind} (paused since {Figures.Time(since)})" : kind.Kind
                            );
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
}
