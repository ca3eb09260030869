using System.Globalization;
using System.Runtime.InteropServices;

namespace Platform.PoolRunner;

/// <summary>What every figure has to be read with.</summary>
/// <param name="Date">When the run began (UTC).</param>
/// <param name="LoadBefore">The machine's load average over a minute before anything was started.</param>
/// <param name="LoadAfter">The same at the end; the run itself is part of it.</param>
internal sealed record Conditions(string Date, string LoadBefore, string LoadAfter)
{
    public static Conditions Read(TimeProvider time) =>
        new(time.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), LoadAverage(), "");

    public Conditions WithLoadAfter() => this with { LoadAfter = LoadAverage() };

    public override string ToString() =>
        $"{Date} UTC, {Environment.ProcessorCount} cores that load generator, services, PostgreSQL and RabbitMQ share, {RuntimeInformation.FrameworkDescription}, "
        + $"Release. Load average of the machine {LoadBefore} before the run and {LoadAfter} at its end.";

    private static string LoadAverage() => File.ReadAllText("/proc/loadavg").Split(' ')[0];
}
