using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>kinds pause KIND</c> and <c>kinds resume KIND</c>: whether workers begin tasks of a kind.</summary>
internal static class PauseKindCommand
{
    public static Command CreatePause(CliOptions options) =>
        Create(options, "pause", "Let no worker begin tasks of a kind until it is resumed; what runs goes on", isPaused: true);

    public static Command CreateResume(CliOptions options) =>
        Create(options, "resume", "Let workers begin tasks of a paused kind again", isPaused: false);

    private static Command Create(CliOptions options, string name, string description, bool isPaused)
    {
        var kind = KindArgument.Create();
        var command = new Command(name, description) { kind };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.SetPausedAsync(parse.GetRequiredValue(kind), isPaused, cancellationToken);
                session.Write(
                    answer,
                    pause =>
                        session.Terminal.WriteLine(
                            pause.PausedAt is { } since
                                ? $"{pause.Kind} is paused since {Figures.Time(since)}."
                                : $"{pause.Kind} is not paused."
                        )
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
