namespace Platform.Runner.Pools;

/// <summary>Draws the median latency of the light requests of each second on a logarithmic scale, for all hostings.</summary>
internal static class LatencyChart
{
    private const int Width = 820;
    private const int Height = 400;
    private const int Left = 64;
    private const int Right = 120;
    private const int Top = 58;
    private const int Bottom = 46;
    private const double Least = 1;
    private const double Most = 40_000;

    public static void Write(IReadOnlyList<Cell> cells, string path)
    {
        var svg = new Svg(Width, Height);
        var end = Math.Max(20, cells.Max(c => c.Seconds[^1].At + 1));
        var load = cells.Max(c => c.LoadSeconds);
        double X(double seconds) => Left + (seconds / end * (Width - Left - Right));
        double Y(double milliseconds) =>
            Height - Bottom - (Math.Log(Math.Clamp(milliseconds, Least, Most) / Least) / Math.Log(Most / Least) * (Height - Top - Bottom));

        svg.Text(
            Left,
            22,
            FormattableString.Invariant(
                $"Light requests beside {cells[0].HeavyRate} heavy tasks per second, {cells[0].Multiple}x what 15 connections carry"
            ),
            size: 15,
            fill: "#111",
            bold: true
        );
        svg.Text(Left, 42, "Median of each second, from the moment a request was due. A line ends with the work (captured: never)");
        svg.Rectangle(X(0), Top, X(load) - X(0), Height - Top - Bottom, "#f1f1f1");
        svg.Text(X(0) + 4, Top + 14, "tasks arrive", size: 11);
        foreach (var (milliseconds, label) in new[] { (1.0, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1000, "1 s"), (10_000, "10 s") })
        {
            svg.Line(Left, Y(milliseconds), Width - Right, Y(milliseconds), "#ddd");
            svg.Text(Left - 6, Y(milliseconds) + 4, label, "end");
        }

        for (var seconds = 0; seconds <= end; seconds += 10)
        {
            svg.Text(X(seconds), Height - Bottom + 18, FormattableString.Invariant($"{seconds} s"), "middle");
        }

        var taken = new List<double>();
        foreach (var cell in cells)
        {
            var points = cell.Seconds.Select(s => (X(s.At + 0.5), Y(s.P50))).ToList();
            svg.Path(points, Charts.Colour(cell.Hosting));
            var label = points[^1].Item2 - 8;
            while (taken.Any(t => Math.Abs(t - label) < 14))
            {
                label -= 14;
            }

            taken.Add(label);
            svg.Text(points[^1].Item1 + 6, label, cell.Hosting, fill: Charts.Colour(cell.Hosting), bold: true);
        }

        svg.Save(path, "Latency of light requests over time, by hosting of the heavy work");
    }
}
