using System.Globalization;

namespace Platform.Runner;

/// <summary>What to measure, and for how long.</summary>
internal sealed record RunOptions
{
    public const string Throughput = "throughput";
    public const string Exhaustion = "pool-exhaustion";
    public const string Sizing = "pool-sizing";

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
                                    also measures, on MySQL, published builds with MassTransit's own outbox: FOLDER/Api and FOLDER/Services
          --out FOLDER              where throughput.jsonl and throughput.md go (default bench/results/tmp/mysql, or postgres)
          --quick                   two short rounds, to see that it works

        bench/run-pool-exhaustion.sh [OPTION]... [--no-build]

          --seconds N               how long tasks arrive in each measurement (default 8)
          --multiples N[,N]         heavy load, in multiples of what the connections can carry (default 0.5,1,2,4)
          --hostings NAME[,NAME]    of captured, scoped, own-pool, platform (default: all)
          --results FOLDER          where pool-exhaustion.jsonl and pool-exhaustion.md go (default bench/results)
          --charts FOLDER           where the pictures go (default docs/images)

        bench/run-pool-sizing.sh [OPTION]... [--no-build]

          --seconds N               how long tasks arrive in each setting (default 20)
          --results FOLDER          where pool-sizing.jsonl and pool-sizing.md go (default bench/results)
        """;

    private static readonly string[] Sections = ["accept", "drain", "sustained", "relay", "latency"];

    public required string Measurement { get; init; }

    public required double Seconds { get; init; }

    public string Out { get; init; } = "bench/results/tmp";

    public IReadOnlyList<string> Only { get; init; } = Sections;

    public int Rounds { get; init; } = 5;

    public int Tasks { get; init; } = 10_000;

    public int Singles { get; init; } = 300;

    public int Connections { get; init; } = 32;

    public int Concurrency { get; init; } = 32;

    public int Publishers { get; init; } = 32;

    public string? MassTransitOutbox { get; init; }

    public string Charts { get; init; } = "bench/results/tmp";

    public IReadOnlyList<double> Multiples { get; init; } = [0.5, 1, 2, 4];

    public IReadOnlyList<string> Hostings { get; init; } = ["captured", "scoped", "own-pool", "platform"];

    /// <exception cref="FormatException">A measurement or option is unknown, or an option has no value.</exception>
    public static RunOptions Parse(string[] args)
    {
        var options = args.FirstOrDefault() switch
        {
            Throughput => new RunOptions { Measurement = Throughput, Seconds = 4 },
            Exhaustion => new RunOptions { Measurement = Exhaustion, Seconds = 8 },
            Sizing => new RunOptions { Measurement = Sizing, Seconds = 20 },
            var other => throw new FormatException($"{other ?? "Nothing"} is not a measurement."),
        };
        for (var i = 1; i < args.Length; i++)
        {
            string Value() => ++i < args.Length ? args[i] : throw new FormatException($"{args[i - 1]} needs a value.");
            int Number() => int.Parse(Value(), NumberStyles.None, CultureInfo.InvariantCulture);
            options = (options.Measurement, args[i]) switch
            {
                (_, "--seconds") => options with { Seconds = double.Parse(Value(), CultureInfo.InvariantCulture) },
                (Throughput, "--out") or (Exhaustion or Sizing, "--results") => options with { Out = Value() },
                (Throughput, "--only") => options with { Only = Value().Split(',') },
                (Throughput, "--rounds") => options with { Rounds = Number() },
                (Throughput, "--tasks") => options with { Tasks = Number() },
                (Throughput, "--singles") => options with { Singles = Number() },
                (Throughput, "--connections") => options with { Connections = Number() },
                (Throughput, "--concurrency") => options with { Concurrency = Number() },
                (Throughput, "--publishers") => options with { Publishers = Number() },
                (Throughput, "--masstransit-outbox") => options with { MassTransitOutbox = Path.GetFullPath(Value()) },
                (Throughput, "--quick") => options with { Rounds = 2, Seconds = 2, Tasks = 3_000, Singles = 50 },
                (Exhaustion, "--charts") => options with { Charts = Value() },
                (Exhaustion, "--hostings") => options with { Hostings = Value().Split(',') },
                (Exhaustion, "--multiples") => options with
                {
                    Multiples = [.. Value().Split(',').Select(m => double.Parse(m, CultureInfo.InvariantCulture))],
                },
                var (_, other) => throw new FormatException($"{other} is not an option."),
            };
        }

        return options.Only.Except(Sections).FirstOrDefault() is { } section
            ? throw new FormatException($"{section} is not a section.")
            : options;
    }
}
