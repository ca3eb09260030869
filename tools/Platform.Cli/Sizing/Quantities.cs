using System.Globalization;

namespace Platform.Cli.Sizing;

/// <summary>Reads and writes rates and times as people write them.</summary>
internal static class Quantities
{
    /// <summary>Reads <c>20/s</c>, <c>90/min</c>, <c>500/h</c>; <c>20</c> is per second.</summary>
    /// <returns>The rate per second; null when the text is not a rate above 0.</returns>
    public static double? Rate(string text)
    {
        var parts = text.Split('/');
        double? unit =
            parts.Length is 1 ? 1
            : parts.Length > 2 ? null
            : parts[1].Trim() switch
            {
                "s" => 1,
                "min" or "m" => 60,
                "h" => 3600,
                "d" => 86_400,
                _ => null,
            };
        return unit is { } seconds && Number(parts[0]) is { } count and > 0 ? count / seconds : null;
    }

    /// <summary>Reads <c>300ms</c>, <c>1s</c>, <c>1.5min</c>, <c>2h</c>.</summary>
    /// <returns>The time; null when the text is not a time from 1 ms to 30 days.</returns>
    public static TimeSpan? Time(string text) => Time(text, TimeSpan.FromDays(30));

    /// <summary>Does the same as <see cref="Time(string)"/>, up to another longest time.</summary>
    public static TimeSpan? Time(string text, TimeSpan longest)
    {
        var digits = text.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyz ").Length;
        double? unit = text.AsSpan(digits).Trim() switch
        {
            "ms" => 0.001,
            "s" => 1,
            "min" or "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => null,
        };
        return unit * Number(text.AsSpan(0, digits)) is { } seconds and >= 0.001 && seconds <= longest.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : null;
    }

    /// <summary>Writes three digits and a suitable unit: <c>12.3 ms</c>, <c>1.5 s</c>, <c>4 min</c>.</summary>
    public static string Text(TimeSpan time) =>
        time.TotalSeconds switch
        {
            < 0.0005 => "0 ms",
            < 0.0995 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.#} ms"),
            < 0.9995 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms"),
            < 120 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.##} s"),
            < 7200 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0.#} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
        };

    private static double? Number(ReadOnlySpan<char> text) =>
        double.TryParse(
            text,
            NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite | NumberStyles.AllowLeadingWhite,
            CultureInfo.InvariantCulture,
            out var number
        )
            ? number
            : null;
}
