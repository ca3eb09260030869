using System.Globalization;

namespace Platform.PoolRunner;

/// <summary>What is measured, and how long.</summary>
internal sealed record RunOptions
{
    /// <summary>Connections of every hosting in all. A task holds one for a second, so 15 a second is what they can carry.</summary>
    public const int Connections = 15;

    /// <summary>Which measurement: <c>exhaustion</c> or <c>sizing</c>.</summary>
    public string Measurement { get; init; } = "exhaustion";

    /// <summary>Where the results go.</summary>
    public string Results { get; init; } = "bench/results/tmp";

    /// <summary>Where the charts go.</summary>
    public string Charts { get; init; } = "bench/results/tmp";

    /// <summary>How long tasks arrive in each measurement. Default 8 s (sizing 20 s).</summary>
    public TimeSpan Load { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Heavy load, in multiples of what the connections can carry.</summary>
    public IReadOnlyList<double> Multiples { get; init; } = [0.5, 1, 2, 4];

    /// <summary>Ways to host the work.</summary>
    public IReadOnlyList<string> Hostings { get; init; } = ["captured", "scoped", "own-pool", "platform"];

    /// <exception cref="ArgumentException">An unknown argument, or one without its value.</exception>
    public static RunOptions Read(string[] args)
    {
        var options = new RunOptions { Measurement = args.Length > 0 ? args[0] : "exhaustion" };
        if (options.Measurement == "sizing")
        {
            options = options with { Load = TimeSpan.FromSeconds(20) };
        }

        for (var i = 1; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
            options = args[i] switch
            {
                "--results" => options with { Results = value },
                "--charts" => options with { Charts = value },
                "--seconds" => options with { Load = TimeSpan.FromSeconds(double.Parse(value, CultureInfo.InvariantCulture)) },
                "--multiples" => options with
                {
                    Multiples = [.. value.Split(',').Select(m => double.Parse(m, CultureInfo.InvariantCulture))],
                },
                "--hostings" => options with { Hostings = value.Split(',') },
                _ => throw new ArgumentException($"{args[i]} is not known: --results, --charts, --seconds, --multiples or --hostings."),
            };
        }

        return options;
    }
}
