namespace Platform.Runner.Pools;

/// <summary>
/// Draws the connections that each application holds over time, one panel for each hosting; the dark line shows those that do something.
/// </summary>
internal static class ConnectionChart
{
    private const int PanelWidth = 400;
    private const int PanelHeight = 200;
    private const int Left = 34;
    private const int Right = 14;
    private const int Top = 44;
    private const int Bottom = 28;
    private const int Header = 54;
    private const double Most = 18;

    private static readonly string[] fills = ["#9ec5e8", "#f4c38c", "#b7d7a8", "#d3c0e6"];

    public static void Write(IReadOnlyList<Cell> cells, string path)
    {
        var rows = (cells.Count + 1) / 2;
        var svg = new Svg(PanelWidth * 2, Header + (PanelHeight * rows));
        svg.Text(
            Left,
            22,
            FormattableString.Invariant(
                $"Database connections: {cells[0].HeavyRate} heavy tasks per second for {cells[0].LoadSeconds:0} s, until they ended"
            ),
            size: 15,
            fill: "#111",
            bold: true
        );
        svg.Text(Left, 42, "Areas: open, by application. Black line: in a statement or transaction. Dashed: 15, the limit of all together");
        for (var i = 0; i < cells.Count; i++)
        {
            Panel(svg, cells[i], i % 2 * PanelWidth, Header + (i / 2 * PanelHeight));
        }

        svg.Save(path, "Database connections over time, by hosting of the heavy work");
    }

    private static void Panel(Svg svg, Cell cell, double left, double top)
    {
        var moments = cell.Connections.GroupBy(s => s.At).OrderBy(g => g.Key).ToList();
        var end = moments[^1].Key;
        double X(double seconds) => left + Left + (seconds / end * (PanelWidth - Left - Right));
        double Y(double connections) => top + PanelHeight - Bottom - (connections / Most * (PanelHeight - Top - Bottom));

        svg.Text(left + Left, top + 14, cell.Hosting, size: 13, fill: Charts.Colour(cell.Hosting), bold: true);
        var applications = cell.Connections.Select(s => s.Application).Distinct().Order().ToList();
        var legend = left + Left;
        var below = moments.Select(_ => 0.0).ToList();
        foreach (var (application, fill) in applications.Zip(fills))
        {
            var open = moments.Select((m, i) => below[i] + m.Where(s => s.Application == application).Sum(s => s.Open)).ToList();
            svg.Area(
                [.. moments.Select((m, i) => (X(m.Key), Y(open[i]))), .. moments.Select((m, i) => (X(m.Key), Y(below[i]))).Reverse()],
                fill
            );
            svg.Rectangle(legend, top + 22, 10, 10, fill);
            svg.Text(legend + 14, top + 31, application, size: 11);
            legend += 22 + (application.Length * 6);
            below = open;
        }

        foreach (var connections in new[] { 0, 5, 10, 15 })
        {
            svg.Text(left + Left - 6, Y(connections) + 4, $"{connections}", "end", 11);
        }

        svg.Line(X(0), Y(0), X(end), Y(0), "#999");
        svg.Line(X(0), Y(Exhaustion.Connections), X(end), Y(Exhaustion.Connections), "#555", "5 4");
        svg.Path(moments.Select(m => (X(m.Key), Y(m.Sum(s => s.Busy)))), "#111", 1);
        svg.Text(X(0), top + PanelHeight - 10, "0 s", size: 11);
        svg.Text(X(end), top + PanelHeight - 10, FormattableString.Invariant($"{end:0} s"), "end", 11);
    }
}
