using System.Globalization;
using Platform.Cli.Api;

namespace Platform.Cli.Terminal;

/// <summary>Writes times, durations and amounts for people.</summary>
internal static class Figures
{
    /// <summary>Writes a time in UTC to the second; empty for null.</summary>
    public static string Time(DateTimeOffset? time) =>
        time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";

    /// <summary>Writes the time between two moments, such as <c>4.2 s</c> or <c>1 h 05 m</c>; empty when one is missing.</summary>
    public static string Duration(DateTimeOffset? from, DateTimeOffset? to) =>
        (to - from) switch
        {
            null => "",
            { TotalSeconds: < 60 } short_ => string.Create(CultureInfo.InvariantCulture, $"{short_.TotalSeconds:0.0} s"),
            { TotalHours: < 1 } middle => $"{middle.Minutes} m {middle.Seconds:00} s",
            { TotalDays: < 1 } long_ => $"{long_.Hours} h {long_.Minutes:00} m",
            { } days => $"{days.Days} d {days.Hours:00} h",
        };

    /// <summary>Writes digits in groups of three.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Writes bytes in the largest binary unit of which there is at least one.</summary>
    public static string Bytes(long bytes)
    {
        string[] units = ["B", "KiB", "MiB", "GiB", "TiB"];
        var unit = 0;
        var value = (double)bytes;
        for (; value >= 1024 && unit < units.Length - 1; unit++)
        {
            value /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    /// <summary>Writes percentage, units and text; empty for null.</summary>
    public static string Progress(HeavyTaskProgress? progress)
    {
        var units = progress switch
        {
            null or { Done: 0, Total: null or 0 } => "",
            { Total: > 0 and var total } => $"{Percent(progress.Done, total)} %  {Count(progress.Done)} / {Count(total)}",
            _ => Count(progress.Done),
        };
        return string.Join("  ", new[] { units, progress?.Text ?? "" }.Where(part => part.Length > 0));
    }

    /// <summary>Rounds down, so that 100 means complete.</summary>
    private static long Percent(long done, long total) => (long)Math.Clamp(Math.Floor(100.0 * done / total), 0, 100);
}
