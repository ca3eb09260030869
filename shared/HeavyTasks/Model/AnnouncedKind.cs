namespace Platform.HeavyTasks;

/// <summary>
/// A kind that a worker handles, as the worker announced it. The row is what a process that knows no more of the kind, such as the API,
/// checks parameters by. The worker that announced last has written it.
/// </summary>
public class AnnouncedKind
{
    /// <summary>The name of the kind.</summary>
    public string Name { get; init; } = "";

    /// <summary>What tasks of this kind do, for people.</summary>
    public string Description { get; set; } = "";

    /// <summary>The JSON schema of its parameters.</summary>
    public string ParametersSchema { get; set; } = "";

    /// <summary>The service that announced it.</summary>
    public string Service { get; set; } = "";

    /// <summary>When it was last announced (UTC, the database's clock).</summary>
    public DateTime AnnouncedAt { get; set; }

    /// <summary>
    /// When somebody paused the kind (UTC): until it is resumed, no worker begins a task of it. Null: it is not paused. An announcement does not
    /// change it.
    /// </summary>
    public DateTime? PausedAt { get; internal set; }

    /// <summary>
    /// How many tasks of the kind each worker runs at once at most, as somebody set it. A worker never runs more than its own
    /// <see cref="HeavyTaskKindOptions.Concurrency"/>, for which its pool has connections. Null: nobody set it. An announcement does not change it.
    /// </summary>
    public int? Slots { get; internal set; }
}
