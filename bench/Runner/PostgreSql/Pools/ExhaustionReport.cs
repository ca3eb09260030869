using System.Globalization;
using System.Text;

namespace Platform.Runner.Pools;

/// <summary>Writes the cells as a Markdown table.</summary>
internal static class ExhaustionReport
{
    public static string Write(IReadOnlyCollection<Cell> cells, Verdict verdict, Conditions conditions)
    {
        var text = new StringBuilder();
        text.AppendLine("# Pool exhaustion")
            .AppendLine()
            .AppendLine("Made by `bench/run-pool-exhaustion.sh`.")
            .AppendLine()
            .AppendLine(conditions.ToString())
            .AppendLine();
        text.AppendLine(
            "| hosting | heavy load | light p50 / p95 / p99 while tasks arrive | errors | accepted | completed | missing | drained after | light well again after | most connections |"
        );
        text.AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var cell in cells)
        {
            text.AppendLine(Row(cell));
        }

        text.AppendLine().AppendLine("What must hold for the platform:").AppendLine();
        foreach (var line in verdict.Lines)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"- {line}");
        }

        return text.ToString();
    }

    public static string Row(Cell cell)
    {
        var load = cell.Scenario switch
        {
            "idle" => "none",
            "kill" => Invariant($"{cell.Multiple}x = {cell.HeavyRate}/s, API killed"),
            _ => Invariant($"{cell.Multiple}x = {cell.HeavyRate}/s"),
        };
        var light = $"{Time(cell.Light.P50)} / {Time(cell.Light.P95)} / {Time(cell.Light.P99)}";
        var errors = Invariant($"{cell.LightAll.Errors} of {cell.LightAll.Requests}");
        var why = cell.Counts is { Failed: > 0 } counts
            ? Invariant($" ({counts.Disposed} disposed context, {counts.Exhausted} pool exhausted)")
            : "";
        var connections = string.Join(
            ", ",
            cell.MaxConnections.OrderBy(c => c.Key).Select(c => Invariant($"{c.Key} {c.Value} of {cell.Limits.GetValueOrDefault(c.Key)}"))
        );
        return Invariant(
            $"| {cell.Hosting} | {load} | {light} | {errors} | {cell.Accepted} of {cell.Sent} | {cell.Completed} | {cell.Missing}{why} | {(cell.Multiple == 0 ? "" : Seconds(cell.DrainSeconds))} | {(cell.Multiple == 0 ? "" : Seconds(cell.RecoverySeconds))} | {connections} |"
        );
    }

    private static string Time(double milliseconds) =>
        milliseconds < 1000 ? Invariant($"{milliseconds:0.0} ms") : Invariant($"{milliseconds / 1000:0.0} s");

    private static string Seconds(double? seconds) => seconds is { } value ? Invariant($"{value:0.0} s") : "not while watched";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
