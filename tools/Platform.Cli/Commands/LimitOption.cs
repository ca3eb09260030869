using System.CommandLine;
using System.Globalization;

namespace Platform.Cli.Commands;

/// <summary>The option <c>--limit</c> of lists.</summary>
internal static class LimitOption
{
    public const int Default = 50;

    public static Option<int?> Create(string what, int max = int.MaxValue)
    {
        var upTo = max < int.MaxValue ? $", up to {max}" : "";
        var limit = new Option<int?>("--limit") { Description = $"The most {what} to list{upTo} (default: {Default})", HelpName = "n" };
        limit.Validators.Add(result =>
        {
            // What is no number is the parser's to refuse; to ask for the value would throw.
            if (
                result.Tokens is [var token]
                && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var value)
                && (value < 1 || value > max)
            )
            {
                result.AddError(max < int.MaxValue ? $"--limit must be between 1 and {max}." : "--limit must be 1 or more.");
            }
        });
        return limit;
    }
}
