using System.Globalization;
using System.Text;

namespace Platform.Runner.Pools;

/// <summary>Writes predicted and measured numbers as a Markdown table.</summary>
internal static class SizingReport
{
    public static string Write(IReadOnlyCollection<SizingResult> results, Conditions conditions)
    {
        var text = new StringBuilder();
        text.AppendLine("# Pool sizing")
            .AppendLine()
            .AppendLine("Made by `bench/run-pool-sizing.sh`.")
            .AppendLine()
            .AppendLine(conditions.ToString())
            .AppendLine();
        text.AppendLine(
            "| setting | rate | run (database) | workers x slots | pool | throughput predicted / measured | mean wait predicted / measured | p95 wait measured | busy connections predicted / measured | tasks |"
        );
        text.AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var result in results)
        {
            text.AppendLine(Row(result));
        }

        return text.ToString();
    }

    public static string Row(SizingResult result)
    {
        var sizing = result.Case;
        return FormattableString.Invariant(
            $"| {sizing.What} | {sizing.Rate}/s | {sizing.Run * 1000:0} ({sizing.Database * 1000:0}) ms | {sizing.Replicas} x {sizing.Concurrency} | {sizing.Pool(result.Reserved)} | {result.PredictedThroughput:0.0} / {result.Throughput:0.0} per s | {result.PredictedWait:0} / {result.Wait:0} ms | {result.WaitP95:0} ms | {result.PredictedBusy:0.0} / {result.Busy:0.0} | {result.Tasks} |"
        );
    }
}
