using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Runner.Pools;

/// <summary>Measures what a pool can carry, and what happens when the load is greater.</summary>
internal static class PoolMeasurement
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <returns>0 when everything holds that must hold for the platform.</returns>
    public static async Task<int> RunAsync(RunOptions options)
    {
        Directory.CreateDirectory(options.Out);
        await using var installation = await Installation.CreateAsync(options);
        await using var database = await PoolDatabase.CreateAsync(installation);
        var conditions = await Conditions.ReadAsync(installation);
        var path = Path.Combine(options.Out, options.Measurement);
        if (options.Measurement == RunOptions.Sizing)
        {
            var sizing = new Sizing(installation, database, TimeProvider.System);
            var results = await ReportAsync(sizing.RunAsync(), $"{path}.jsonl", SizingReport.Row);
            await File.WriteAllTextAsync($"{path}.md", SizingReport.Write(results, conditions));
            return 0;
        }

        var exhaustion = new Exhaustion(installation, database, TimeProvider.System);
        var cells = await ReportAsync(exhaustion.RunAsync(), $"{path}.jsonl", ExhaustionReport.Row);
        var verdict = Verdict.Of(cells);
        await File.WriteAllTextAsync($"{path}.md", ExhaustionReport.Write(cells, verdict, conditions));
        Directory.CreateDirectory(options.Charts);
        Charts.Write(cells, options.Charts);
        Console.WriteLine(verdict);
        return verdict.Holds ? 0 : 1;
    }

    private static async Task<List<T>> ReportAsync<T>(IAsyncEnumerable<T> results, string path, Func<T, string> row)
    {
        await using var lines = new StreamWriter(path);
        var all = new List<T>();
        await foreach (var result in results)
        {
            await lines.WriteLineAsync(JsonSerializer.Serialize(result, Json));
            Console.WriteLine(row(result));
            all.Add(result);
        }

        return all;
    }
}
