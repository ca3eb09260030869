using System.CommandLine;
using System.Globalization;
using Platform.Cli.Api;

namespace Platform.Cli.Commands;

/// <summary><c>kinds slots KIND N</c> and <c>kinds slots KIND default</c>: how many tasks of a kind each worker runs at once.</summary>
internal static class SetKindSlotsCommand
{
    private const string Default = "default";

    public static Command Create(CliOptions options)
    {
        var kind = KindArgument.Create();
        var slots = new Argument<SlotCount>("slots")
        {
            Description = $"The number, or {Default} for what the workers are configured with, which is also the most",
            HelpName = $"n|{Default}",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (text == Default)
                {
                    return new SlotCount(null);
                }

                if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0)
                {
                    return new SlotCount(count);
                }

                result.AddError(
                    $"'{text}' is neither a number of tasks nor '{Default}'. To let no worker begin tasks: platform kinds pause"
                );
                return null;
            },
        };
        var command = new Command("slots", "Set how many tasks of a kind each worker runs at once, within what it is configured with")
        {
            kind,
            slots,
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await session.Client.SetSlotsAsync(
                    parse.GetRequiredValue(kind),
                    parse.GetRequiredValue(slots).Value,
                    cancellationToken
                );
                session.Write(answer, set => session.Terminal.WriteLine($"{set.Kind}: {Describe(set)}."));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static string Describe(KindSlots set) =>
        set.Slots is null
            ? "each worker runs as many tasks at once as it is configured with"
            : $"{SlotText.Limit(set.Slots.Value)}, and no more than it is configured with";

    /// <summary>A number, or none. The parser takes a nullable number for an argument that may be left out.</summary>
    private sealed record SlotCount(int? Value);
}
