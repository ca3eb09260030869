using System.Reflection;
using System.Runtime.InteropServices;

namespace Platform.Runner;

/// <summary>The conditions under which every figure was measured.</summary>
internal sealed record Conditions(
    DateTimeOffset Date,
    int Cores,
    string Processor,
    string Runtime,
    string Database,
    string RabbitMq,
    string MassTransit,
    string EntityFramework,
    string Driver,
    string Durability,
    double LoadBefore,
    RunOptions Options
)
{
    /// <summary>The load of the machine, averaged over a minute by the kernel. It includes the work of this run.</summary>
    public static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0]);

    public static async Task<Conditions> ReadAsync(Installation installation)
    {
        var database = installation.Platform.Database;
        var settings = (await database.PairsAsync(DatabaseKind.Settings)).Select(setting => $"{setting.Key}={setting.Value}");
        var processor = File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            ?.Split(": ")[1];
        return new Conditions(
            TimeProvider.System.GetUtcNow(),
            Environment.ProcessorCount,
            processor ?? "unknown",
            RuntimeInformation.FrameworkDescription,
            database.Server,
            installation.Broker.Version,
            VersionOf(typeof(global::MassTransit.IBus)),
            VersionOf(typeof(Microsoft.EntityFrameworkCore.DbContext)),
            $"{DatabaseKind.Driver.Assembly.GetName().Name} {VersionOf(DatabaseKind.Driver)}",
            $"{database.Server}: {string.Join(", ", settings)}; quorum queues of one node, persistent messages, publisher confirms everywhere",
            Load(),
            installation.Options
        );
    }

    public override string ToString() =>
        $"""
            {Date:yyyy-MM-dd HH:mm} UTC, {Cores} cores ({Processor}), shared by load generator, services, {Database} and RabbitMQ {RabbitMq}. {Runtime}, MassTransit {MassTransit},
            Entity Framework {EntityFramework}, {Driver}; Release builds, workstation garbage collector, logging at Warning.
            {Durability}.
            Load average of the machine {LoadBefore} before the first measurement and {Load()} at the end of the last.
            """;

    private static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
