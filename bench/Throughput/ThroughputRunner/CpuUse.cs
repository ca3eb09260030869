using System.Globalization;

namespace Platform.ThroughputRunner;

/// <summary>Processor time of the processes involved, read from /proc. Servers on another machine are left out.</summary>
internal sealed class CpuUse(IReadOnlyDictionary<string, Func<IEnumerable<int>>> roles)
{
    // Fixed by Linux for user space on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds so far, by role.</summary>
    public Dictionary<string, double> Read() => roles.ToDictionary(r => r.Key, r => r.Value().Sum(Seconds));

    /// <summary>Microseconds for each of <paramref name="count"/> operations since an earlier reading.</summary>
    public Dictionary<string, double> PerOperation(Dictionary<string, double> before, double count)
    {
        ArgumentNullException.ThrowIfNull(before);
        return Read().Where(r => before.ContainsKey(r.Key)).ToDictionary(r => r.Key, r => Math.Round((r.Value - before[r.Key]) / count * 1e6, 1));
    }

    /// <summary>The process and its children, such as PostgreSQL's server process and its backends.</summary>
    public static IEnumerable<int> Family(int? leader) => leader is not { } pid
        ? []
        : Directory.EnumerateDirectories("/proc")
            .Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id == pid || (id > 0 && Stat(id) is [_, var parent, ..] && parent == pid.ToString()))
            .ToList();

    public static int? Parent(int pid) => Stat(pid) is [_, var parent, ..] ? int.Parse(parent) : null;

    private static double Seconds(int pid)
    {
        // The parts that follow the name: utime and stime are 11 and 12, those of children that ended and were waited for 13 and 14.
        var stat = Stat(pid);
        return stat.Length < 15 ? 0 : stat[11..15].Sum(double.Parse) / TicksPerSecond;
    }

    private static string[] Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }
}
