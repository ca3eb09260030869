using System.Globalization;

namespace Platform.ThroughputRunner;

/// <summary>What to measure, and how long.</summary>
internal sealed record RunOptions
{
    public const string Usage = """
        bench/run-throughput.sh [OPTION]... [--no-build]

          --database mysql|postgres on MariaDB (default) or PostgreSQL
          --only SECTION[,SECTION]  of accept, drain, sustained, relay, latency (default: all)
          --rounds N                measured rounds of each section, after one that is not measured (default 5)
          --seconds N               length of a timed measurement (default 4)
          --tasks N                 tasks or messages of a counted measurement (default 10000)
          --singles N               tasks of the latency measurement (default 300)
          --connections N           keep-alive connections of the load generator (default 32)
          --concurrency N           tasks at once in the worker, messages at once in the bare consumer (default 32)
          --publishers N            concurrent publishers of the relay measurement (default 32)
          --masstransit-outbox FOLDER
                                    also measures, on MySQL, published builds with MassTransit's own outbox: FOLDER/Api and FOLDER/OutboxService
          --out FOLDER              where throughput.jsonl and throughput.md go (default bench/results/tmp/mysql, or postgres)
          --quick                   two short rounds, to see that it works
        """;

    private static readonly string[] Sections = ["accept", "drain", "sustained", "relay", "latency"];

    public IReadOnlyList<string> Only { get; init; } = Sections;

    public int Rounds { get; init; } = 5;

    public int Seconds { get; init; } = 4;

    public int Tasks { get; init; } = 10_000;

    public int Singles { get; init; } = 300;

    public int Connections { get; init; } = 32;

    public int Concurrency { get; init; } = 32;

    public int Publishers { get; init; } = 32;

    public string? MassTransitOutbox { get; init; }

    public string Out { get; init; } = "bench/results/tmp";

    public static RunOptions Parse(string[] args)
    {
        var options = new RunOptions();
        for (var i = 0; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value.");
            int Number() => int.Parse(Value(), NumberStyles.None, CultureInfo.InvariantCulture);
            options = args[i] switch
            {
                "--only" => options with { Only = Value().Split(',') },
                "--rounds" => options with { Rounds = Number() },
                "--seconds" => options with { Seconds = Number() },
                "--tasks" => options with { Tasks = Number() },
                "--singles" => options with { Singles = Number() },
                "--connections" => options with { Connections = Number() },
                "--concurrency" => options with { Concurrency = Number() },
                "--publishers" => options with { Publishers = Number() },
                "--masstransit-outbox" => options with { MassTransitOutbox = Path.GetFullPath(Value()) },
                "--out" => options with { Out = Value() },
                "--quick" => options with { Rounds = 2, Seconds = 2, Tasks = 3_000, Singles = 50 },
                var other => throw new FormatException($"{other} is not an option."),
            };
        }

        return options.Only.Except(Sections).FirstOrDefault() is { } section
            ? throw new FormatException($"{section} is not a section.")
            : options;
    }
}
