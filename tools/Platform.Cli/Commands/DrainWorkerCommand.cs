using System.CommandLine;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>workers drain ID</c> and <c>workers resume ID</c>: whether a worker begins tasks.</summary>
internal static class DrainWorkerCommand
{
    public static Command CreateDrain(CliOptions options) =>
        Create(options, "drain", "Let a worker begin no more tasks until it is resumed or ends; what it runs goes on", isDrained: true);

    public static Command CreateResume(CliOptions options) =>
        Create(options, "resume", "Let a worker that drains begin tasks again", isDrained: false);

    private static Command Create(CliOptions options, string name, string description, bool isDrained)
    {
        var id = new Argument<Guid>("id")
        {
            Description = "The worker's id (see: platform workers)",
            CustomParser = result =>
            {
                if (!Guid.TryParse(result.Tokens[0].Value, out var id))
                {
                    result.AddError($"'{result.Tokens[0].Value}' is not a worker's id.");
                }

                return id;
            },
        };
        var command = new Command(name, description) { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.SetDrainedAsync(parse.GetValue(id), isDrained, cancellationToken);
                session.Write(
                    answer,
                    drain =>
                        session.Terminal.WriteLine(
                            drain.DrainedAt is { } since ? $"{drain.Id} drains since {Figures.Time(since)}." : $"{drain.Id} does not drain."
                        )
                );
                return ExitCode.Ok;
            }
        );
        return command;
    }
}
