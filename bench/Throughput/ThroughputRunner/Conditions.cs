using System.Runtime.InteropServices;

namespace Platform.ThroughputRunner;

/// <summary>What every figure has to be read with.</summary>
internal sealed record Conditions(
    int Cores, string Processor, string Runtime, string PostgreSql, string RabbitMq, string MassTransit, string EntityFramework, string Npgsql,
    string Durability, RunOptions Options)
{
    public static async Task<Conditions> ReadAsync(Installation installation)
    {
        var database = installation.Database;
        var settings = new List<string>();
        foreach (var name in new[] { "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers" })
        {
            settings.Add($"{name}={await database.ScalarAsync<string>($"SHOW {name}")}");
        }

        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1];
        return new Conditions(
            Environment.ProcessorCount,
            processor ?? "unknown",
            RuntimeInformation.FrameworkDescription,
            await database.ScalarAsync<string>("SHOW server_version"),
            installation.Broker.Version,
            VersionOf(typeof(MassTransit.IBus)),
            VersionOf(typeof(Microsoft.EntityFrameworkCore.DbContext)),
            VersionOf(typeof(Npgsql.NpgsqlConnection)),
            $"PostgreSQL {string.Join(", ", settings)}; quorum queues of one node, persistent messages, publisher confirms everywhere",
            installation.Options);
    }

    public override string ToString() =>
        $"""
        {Cores} cores ({Processor}), shared by load generator, services, PostgreSQL {PostgreSql} and RabbitMQ {RabbitMq}. {Runtime}, MassTransit {MassTransit},
        Entity Framework {EntityFramework}, Npgsql {Npgsql}; Release builds, workstation garbage collector, logging at Warning.
        {Durability}.
        {Options.Rounds} rounds; {Options.Connections} HTTP connections; {Options.Concurrency} tasks or messages at once; {Options.Publishers} publishers; {Options.Seconds} s or {Options.Tasks:N0} tasks a measurement.
        """;

    private static string VersionOf(Type type) => type.Assembly.GetName().Version!.ToString(3);
}
