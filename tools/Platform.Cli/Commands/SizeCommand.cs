using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Platform.Cli.Sizing;

namespace Platform.Cli.Commands;

/// <summary>
/// <c>size</c>: calculates concurrency and pool size for a kind, without asking the API. docs/pool-sizing.md explains it.
/// </summary>
internal static class SizeCommand
{
    private const int MostSlotsOfAKind = 1000;

    public static Command Create(CliOptions options)
    {
        var defaults = new PoolDemand(1, TimeSpan.FromSeconds(1));
        var rate = new Option<double>("--rate")
        {
            Description = "How many tasks arrive in the busiest minutes: 20/s, 90/min, 500/h",
            HelpName = "rate",
            Required = true,
            CustomParser = result => Read(result, Quantities.Rate, "is not a rate such as 20/s, 90/min or 500/h"),
        };
        var run = Time("--run", "How long one task runs", required: true);
        var database = Time("--database", "How much of --run a connection is in use (default: all of it)", required: false);
        var replicas = Number("--replicas", "Worker processes", defaults.Replicas, 1, 1000);
        var connectionsPerTask = Number(
            "--connections-per-task",
            "How many connections one task uses at once",
            defaults.ConnectionsPerTask,
            1,
            10
        );
        var reserved = Number("--reserved", "HeavyTasks:ReservedConnections", defaults.Reserved, 1, 100);
        var busy = Number("--busy", "The percentage of slots that may be busy on average", (int)(defaults.Utilisation * 100), 10, 95);
        var maxConnections = Number("--max-connections", "The server's max_connections", defaults.MaxConnections, 10, 100_000);
        var others = Number("--other-connections", "The sum of the other services' pools", defaults.OtherConnections, 0, 100_000);
        var kind = new Option<string>("--kind")
        {
            Description = "The kind to name in the printed settings",
            HelpName = "kind",
            DefaultValueFactory = _ => "users.import",
        };
        var command = new Command("size", "Calculate concurrency and pool size for a kind of task")
        {
            rate,
            run,
            database,
            replicas,
            connectionsPerTask,
            reserved,
            busy,
            maxConnections,
            others,
            kind,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(database) is not null && result.GetValue(database) > result.GetValue(run))
            {
                result.AddError("--database is part of --run: it cannot be longer.");
            }
        });
        command.SetAction(parse =>
        {
            using var session = options.Open(parse, callsApi: false);
            var demand = new PoolDemand(parse.GetValue(rate), parse.GetValue(run))
            {
                Replicas = parse.GetValue(replicas),
                ConnectionsPerTask = parse.GetValue(connectionsPerTask),
                Reserved = parse.GetValue(reserved),
                Utilisation = parse.GetValue(busy) / 100.0,
                MaxConnections = parse.GetValue(maxConnections),
                OtherConnections = parse.GetValue(others),
            };
            var size = PoolSize.Of(parse.GetResult(database) is null ? demand : demand with { Database = parse.GetValue(database) });
            if (size.Concurrency > MostSlotsOfAKind || size.MaxPoolSize > MostSlotsOfAKind)
            {
                throw new UsageException(
                    Invariant(
                        $"One replica would need {size.Concurrency} tasks at once and {size.MaxPoolSize} connections, more than {MostSlotsOfAKind}: use more replicas."
                    )
                );
            }

            if (session.IsJson)
            {
                WriteJson(session, size, parse.GetRequiredValue(kind));
            }
            else
            {
                Write(session, size, parse.GetRequiredValue(kind));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static void Write(CliSession session, PoolSize size, string kind)
    {
        var demand = size.Demand;
        var line = size.Line;
        var text = session.Terminal;
        text.WriteLine(
            Invariant($"tasks at once        {line.Load:0.##} on average = {demand.Rate:0.###}/s x {Quantities.Text(demand.Run)}")
        );
        text.WriteLine(
            Invariant(
                $"slots                {line.Slots} = {demand.Replicas} x {size.Concurrency}: {line.Utilisation:P0} busy, up to {line.Capacity:0.##}/s"
            )
        );
        text.WriteLine(
            Invariant(
                $"waiting for a slot   {line.WaitProbability:P1} of the tasks; {Quantities.Text(line.MeanWait()!.Value)} on average over all"
            )
        );
        if (size.LineWithoutOneReplica is { } fewer)
        {
            text.WriteLine(
                fewer switch
                {
                    { KeepsUp: true } => Invariant(
                        $"one replica gone     {fewer.Utilisation:P0} busy; {Quantities.Text(fewer.MeanWait()!.Value)} on average"
                    ),
                    { Growth: > 0 } => Invariant($"one replica gone     the queue grows by {fewer.Growth:0.##}/s until it is back"),
                    _ => "one replica gone     every slot is always busy: the queue does not shrink until the replica is back",
                }
            );
        }

        text.WriteLine(
            Invariant(
                $"pool of a replica    {size.MaxPoolSize} = {size.Concurrency} x {demand.ConnectionsPerTask} + {demand.Reserved} reserved; tasks use {size.BusyConnections:0.##} at once on average in all"
            )
        );
        text.WriteLine(
            Invariant(
                $"connections          {size.TotalConnections} = {demand.Replicas} x ({size.MaxPoolSize} + 1 for the liveness lock) + {demand.OtherConnections} of other services; {size.AvailableConnections} available of max_connections {demand.MaxConnections}"
            )
        );
        text.WriteLine("");
        text.WriteBlock(Settings(size, kind));
        if (!size.Fits)
        {
            text.WriteLine("");
            text.WriteLine(
                Invariant(
                    $"That is more than the server has. Raise max_connections to {Needed(size)}, use fewer replicas, or put a pooler in transaction mode"
                )
            );
            text.WriteLine(
                Invariant(
                    $"before it, with {size.PoolerConnections} server connections for this kind, and set ConnectionStrings:PlatformDirect past the pooler."
                )
            );
        }
    }

    private static void WriteJson(CliSession session, PoolSize size, string kind) =>
        session.WriteJson(json =>
        {
            json.WriteStartObject();
            json.WriteString("kind", kind);
            json.WriteNumber("concurrency", size.Concurrency);
            json.WriteNumber("connectionsPerTask", size.Demand.ConnectionsPerTask);
            json.WriteNumber("maxPoolSize", size.MaxPoolSize);
            json.WriteNumber("reservedConnections", size.Demand.Reserved);
            json.WriteNumber("replicas", size.Demand.Replicas);
            json.WriteNumber("load", Math.Round(size.Line.Load, 6));
            json.WriteNumber("utilisation", Math.Round(size.Line.Utilisation, 6));
            json.WriteNumber("capacity", Math.Round(size.Line.Capacity, 6));
            json.WriteNumber("waitProbability", Math.Round(size.Line.WaitProbability, 6));
            json.WriteNumber("meanWaitSeconds", Math.Round(size.Line.MeanWait()!.Value.TotalSeconds, 6));
            json.WriteNumber("busyConnections", Math.Round(size.BusyConnections, 6));
            json.WriteNumber("totalConnections", size.TotalConnections);
            json.WriteNumber("availableConnections", size.AvailableConnections);
            json.WriteBoolean("fits", size.Fits);
            json.WriteEndObject();
        });

    private static string Settings(PoolSize size, string kind) =>
        Invariant(
            $$"""
            {
              "Database": { "MaxPoolSize": {{size.MaxPoolSize}} },
              "HeavyTasks": {
                "ReservedConnections": {{size.Demand.Reserved}},
                "Kinds": { "{{kind}}": { "Concurrency": {{size.Concurrency}}, "ConnectionsPerTask": {{size.Demand.ConnectionsPerTask}} } }
              }
            }
            """
        );

    private static int Needed(PoolSize size) => (int)Math.Ceiling(size.TotalConnections / 0.9) + PoolDemand.ServerReserved;

    private static Option<TimeSpan> Time(string name, string description, bool required) =>
        new(name)
        {
            Description = description,
            HelpName = "time",
            Required = required,
            CustomParser = result => Read(result, Quantities.Time, "is not a time such as 300ms, 1s or 2min"),
        };

    private static Option<int> Number(string name, string description, int value, int least, int most)
    {
        var option = new Option<int>(name)
        {
            Description = Invariant($"{description} (default: {value})"),
            HelpName = "n",
            DefaultValueFactory = _ => value,
        };
        option.Validators.Add(result =>
        {
            if (
                result.Tokens.Count > 0
                && int.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, out var number)
                && (number < least || number > most)
            )
            {
                result.AddError(Invariant($"{name} must be between {least} and {most}."));
            }
        });
        return option;
    }

    private static T Read<T>(ArgumentResult result, Func<string, T?> read, string problem)
        where T : struct
    {
        if (read(result.Tokens[0].Value) is { } value)
        {
            return value;
        }

        result.AddError($"'{result.Tokens[0].Value}' {problem}.");
        return default;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
