namespace Platform.HeavyTasks;

/// <summary>
/// What one process did with one kind in one minute, for charts of the last hour. Only that process writes the row; workers delete rows
/// after two hours.
/// </summary>
public class HeavyTaskMinute
{
    internal const int MaxTimesLength = 1_000;

    /// <summary>The beginning of the minute (UTC, the clock of the process).</summary>
    public DateTime Minute { get; init; }

    /// <summary>The kind.</summary>
    public string Kind { get; init; } = "";

    /// <summary>The process: a row of <c>instances</c>, while that row is kept.</summary>
    public Guid InstanceId { get; init; }

    /// <summary>Attempts that succeeded.</summary>
    public int Succeeded { get; set; }

    /// <summary>Attempts that failed or ran too long.</summary>
    public int Failed { get; set; }

    /// <summary>Attempts that were cancelled.</summary>
    public int Cancelled { get; set; }

    /// <summary>How long tasks waited in the queue, as <see cref="TimeCounts"/> writes it.</summary>
    public string Waits { get; set; } = "";

    /// <summary>How long attempts ran, likewise.</summary>
    public string Runs { get; set; } = "";
}
