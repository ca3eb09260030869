using System.Globalization;

namespace Platform.Runner.Throughput;

/// <summary>What the machine's processors did during a measurement.</summary>
/// <param name="Microseconds">Microseconds for each operation, by role.</param>
/// <param name="Elsewhere">
/// The share of all processor time that was used by others: processes without a role, and other machines on the same host.
/// </param>
internal sealed record CpuReading(Dictionary<string, double> Microseconds, double Elsewhere);

/// <summary>
/// Measures the processor time of the processes involved, from now on, read from /proc. Servers on another machine are left out.
/// </summary>
internal sealed class CpuUse
{
    // Linux fixes this number for user space on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    private readonly IReadOnlyDictionary<string, Func<IEnumerable<int>>> roles;
    private readonly Dictionary<string, double> before;
    private readonly double machineBefore;
    private readonly long start = TimeProvider.System.GetTimestamp();

    public CpuUse(IReadOnlyDictionary<string, Func<IEnumerable<int>>> roles)
    {
        this.roles = roles;
        before = Read();
        machineBefore = Machine();
    }

    /// <summary>The processor time used for <paramref name="count"/> operations.</summary>
    public CpuReading Stop(double count)
    {
        var machine = Machine() - machineBefore;
        var used = Read().ToDictionary(role => role.Key, role => role.Value - before[role.Key]);
        var all = TimeProvider.System.GetElapsedTime(start).TotalSeconds * Environment.ProcessorCount;
        return new CpuReading(
            used.ToDictionary(role => role.Key, role => Math.Round(role.Value / count * 1e6, 1)),
            Math.Round(Math.Max(0, machine - used.Values.Sum()) / all, 3)
        );
    }

    /// <summary>A process and its children, such as PostgreSQL's server process and its backends.</summary>
    public static IEnumerable<int> Family(int? leader) =>
        leader is not { } pid
            ? []
            : Directory
                .EnumerateDirectories("/proc")
                .Select(d => int.TryParse(Path.GetFileName(d), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
                .Where(id => id == pid || (id > 0 && Stat(id) is [_, var parent, ..] && parent == pid.ToString()))
                .ToList();

    public static int? Parent(int pid) => Stat(pid) is [_, var parent, ..] ? int.Parse(parent) : null;

    private Dictionary<string, double> Read() => roles.ToDictionary(role => role.Key, role => role.Value().Sum(Seconds));

    // The seconds of all processors: in user mode, nice, in the kernel, in interrupts, and taken away by the host of a virtual machine.
    private static double Machine()
    {
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new[] { 1, 2, 3, 6, 7, 8 }.Sum(i => double.Parse(ticks[i])) / TicksPerSecond;
    }

    private static double Seconds(int pid)
    {
        // The fields after the name: 11 and 12 are utime and stime; 13 and 14 are those of children that ended and were waited for.
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
