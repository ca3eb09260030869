namespace Platform.Runner.Pools;

/// <summary>Draws the two charts of the run, both for the highest load.</summary>
internal static class Charts
{
    public static void Write(IReadOnlyCollection<Cell> cells, string folder)
    {
        var most = cells.Where(c => c is { Scenario: "load", Hosting: not "disposed", Connections.Count: > 0 }).ToList();
        if (most.Count == 0)
        {
            return;
        }

        LatencyChart.Write(most, Path.Combine(folder, "pool-latency.svg"));
        ConnectionChart.Write(most, Path.Combine(folder, "pool-connections.svg"));
    }

    public static string Colour(string hosting) =>
        hosting switch
        {
            "captured" => "#c62828",
            "scoped" => "#ef8a17",
            "own-pool" => "#7b52ab",
            _ => "#1b7f4d",
        };
}
