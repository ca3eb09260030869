using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.PoolRunner;

var options = RunOptions.Read(args);
var time = TimeProvider.System;
var json = new JsonSerializerOptions(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
var conditions = Conditions.Read(time);
Directory.CreateDirectory(options.Results);
Directory.CreateDirectory(options.Charts);
await using var installation = await Installation.CreateAsync(time);
var path = Path.Combine(options.Results, $"pool-{options.Measurement}");
await using (var lines = new StreamWriter($"{path}.jsonl"))
{
    if (options.Measurement == "sizing")
    {
        var results = new List<SizingResult>();
        await foreach (var result in new Sizing(installation, options, time).RunAsync())
        {
            await lines.WriteLineAsync(JsonSerializer.Serialize(result, json));
            Console.WriteLine(SizingReport.Row(result));
            results.Add(result);
        }

        await File.WriteAllTextAsync($"{path}.md", SizingReport.Write(results, conditions.WithLoadAfter()));
        return 0;
    }

    var cells = new List<Cell>();
    await foreach (var cell in new Exhaustion(installation, options, time).RunAsync())
    {
        await lines.WriteLineAsync(JsonSerializer.Serialize(cell, json));
        Console.WriteLine(ExhaustionReport.Row(cell));
        cells.Add(cell);
    }

    var verdict = Verdict.Of(cells);
    await File.WriteAllTextAsync($"{path}.md", ExhaustionReport.Write(cells, verdict, conditions.WithLoadAfter()));
    Charts.Write(cells, options.Charts);
    Console.WriteLine(verdict);
    return verdict.Holds ? 0 : 1;
}
