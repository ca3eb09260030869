using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>How the dashboard reads and what it shows. Section <c>Dashboard</c>.</summary>
public sealed class DashboardOptions
{
    /// <summary>
    /// How often what is shown is read again while somebody looks at it. All who look at the same share one reader. Default 2 s; range 500 ms
    /// to 1 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:01:00")]
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How many reads may be under way at the same time, each with one connection of the pool; the others wait. Default 3; range 1 to 50.
    /// </summary>
    [Range(1, 50)]
    public int MaxConcurrentReads { get; set; } = 3;

    /// <summary>How long one read may take before it counts as failed. Default 10 s; range 1 s to 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How many pages one client may have open at the same time in one process. One more is answered 429. Default 50; range 1 to 10,000.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxViewsPerClient { get; set; } = 50;
}
