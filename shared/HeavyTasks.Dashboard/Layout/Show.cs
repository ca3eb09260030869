using System.Globalization;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>How figures and times are shown.</summary>
internal static class Show
{
    /// <summary>The exact time, for the hover.</summary>
    public static string Exact(DateTime utc) => utc.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture) + " UTC";

    /// <summary>A length of time in two units at most.</summary>
    public static string Duration(TimeSpan time)
    {
        time = time < TimeSpan.Zero ? TimeSpan.Zero : time;
        return time switch
        {
            { TotalSeconds: < 1 } => $"{(int)time.TotalMilliseconds} ms",
            { TotalSeconds: < 10 } => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s"),
            { TotalMinutes: < 1 } => $"{(int)time.TotalSeconds} s",
            { TotalHours: < 1 } => $"{(int)time.TotalMinutes} min {time.Seconds} s",
            { TotalDays: < 1 } => $"{(int)time.TotalHours} h {time.Minutes} min",
            _ => $"{(int)time.TotalDays} d {time.Hours} h",
        };
    }

    /// <summary>How long ago something was, to the second.</summary>
    public static string Ago(DateTime utc, DateTimeOffset now)
    {
        var ago = now.UtcDateTime - utc;
        return ago switch
        {
            { TotalSeconds: < 1 } => "now",
            { TotalMinutes: < 1 } => $"{(int)ago.TotalSeconds} s ago",
            _ => $"{Duration(ago)} ago",
        };
    }

    /// <summary>A number with groups of digits.</summary>
    public static string Count(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A count that stops at a limit, beyond which it says no more than that.</summary>
    public static string Capped(long count, long limit) => count > limit ? $"{Count(limit)}+" : Count(count);

    /// <summary>How many a minute.</summary>
    public static string Rate(double perMinute) =>
        perMinute.ToString(perMinute is > 0 and < 10 ? "0.#" : "N0", CultureInfo.InvariantCulture);

    /// <summary>The time that half did not exceed, and the time that 95 % did not.</summary>
    public static string Percentiles(TimeCounts? times) =>
        times?.Percentile(0.5) is { } half && times.Percentile(0.95) is { } most ? $"{Duration(half)} / {Duration(most)}" : "–";

    /// <summary>A size in bytes.</summary>
    public static string Bytes(long bytes) =>
        bytes switch
        {
            < 1024 => $"{bytes} B",
            < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.#} KiB"),
            < 1024L * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.#} GiB"),
        };

    /// <summary>Who holds a connection, and for how long.</summary>
    public static string Holder(ConnectionHolder holder)
    {
        var who = holder.Kind is { } kind ? $"{kind} attempt {holder.Attempt}" : holder.Route ?? holder.Name ?? "unnamed work";
        var idle = holder.IdleSeconds is { } seconds ? $", idle {Duration(TimeSpan.FromSeconds(seconds))}" : "";
        return $"{who} for {Duration(TimeSpan.FromSeconds(holder.HeldSeconds))}{idle}{(holder.HasEnded ? ", after its end" : "")}";
    }
}
