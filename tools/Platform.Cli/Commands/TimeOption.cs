using System.CommandLine;
using Platform.Contracts;

namespace Platform.Cli.Commands;

/// <summary>An option whose value is a time in ISO 8601, UTC unless it has an offset.</summary>
internal static class TimeOption
{
    public static Option<DateTime?> Create(string name, string description) =>
        new(name)
        {
            Description = description,
            HelpName = "time",
            CustomParser = result =>
            {
                if (UtcTime.TryParse(result.Tokens[0].Value, out var time))
                {
                    return time;
                }

                result.AddError(
                    $"{name} '{result.Tokens[0].Value}' is not a time in ISO 8601, "
                        + "such as 2030-01-31T22:00:00Z or 2030-01-31T22:00:00+01:00."
                );
                return null;
            },
        };
}
