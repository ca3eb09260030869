using System.Globalization;

namespace Platform.Runner.Pools;

/// <summary>What must hold for the platform.</summary>
internal sealed record Verdict(bool Holds, IReadOnlyList<string> Lines)
{
    public static Verdict Of(IReadOnlyCollection<Cell> cells)
    {
        var platform = cells.Where(c => c.Hosting == "platform").ToList();
        if (platform.Count == 0)
        {
            return new Verdict(true, ["The platform was not part of this run."]);
        }

        var idle = platform.Single(c => c.Scenario == "idle").Light.P99;
        var most = platform.Where(c => c.Scenario == "load").MaxBy(c => c.Multiple)!;
        var limit = (1.5 * idle) + 5;
        (bool Holds, string Text)[] checks =
        [
            (
                most.Light.P99 <= limit,
                Invariant(
                    $"light p99 at {most.Multiple}x is {most.Light.P99:0.0} ms while tasks arrive; at most 1.5 x {idle:0.0} ms idle + 5 ms = {limit:0.0} ms is wanted"
                )
            ),
            (
                most.LightAll.P99 <= limit,
                Invariant($"light p99 at {most.Multiple}x is {most.LightAll.P99:0.0} ms from the first task to the end of the last")
            ),
            (
                platform.Where(c => c.Scenario != "kill").All(c => c.LightAll.Errors == 0 && c.Sent == c.Accepted),
                "no error but while the API is killed"
            ),
            (platform.All(c => c.Missing == 0), "every accepted task completed, also those of the killed API"),
            (
                platform.All(c => c.MaxConnections.All(m => m.Value <= c.Limits.GetValueOrDefault(m.Key))),
                "no service held more connections than its limit"
            ),
        ];
        return new Verdict(checks.All(c => c.Holds), [.. checks.Select(c => $"{(c.Holds ? "holds" : "DOES NOT HOLD")}: {c.Text}")]);
    }

    public override string ToString() => string.Join('\n', Lines);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
