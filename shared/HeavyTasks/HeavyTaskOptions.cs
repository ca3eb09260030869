using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks;

/// <summary>How a worker claims, keeps and gives back heavy tasks. Section <c>HeavyTasks</c>.</summary>
public sealed class HeavyTaskOptions : IValidatableObject
{
    /// <summary>Limits of each kind, by its name; a kind that is not listed has the defaults of <see cref="HeavyTaskKindOptions"/>.</summary>
    public IDictionary<string, HeavyTaskKindOptions> Kinds { get; } = new Dictionary<string, HeavyTaskKindOptions>(StringComparer.Ordinal);

    /// <summary>Owner deaths after which a task is Failed. Default 3; range 1 to 100.</summary>
    [Range(1, 100)]
    public int MaxCrashes { get; set; } = 3;

    /// <summary>
    /// How often the scheduler looks for due tasks, dead owners and vanished messages, and the keeper for cancel requests and tasks
    /// that were taken away. Default 1 s; range 100 ms to 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:10")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a kind must have had free slots and no delivery before its oldest Queued tasks are published again. Default 5 s;
    /// range 1 s to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan VanishedAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long a handler may go on after it was told to stop (cancel, <c>RunTimeout</c>, task taken away) before its task is taken
    /// from it and its slot reported stuck. Default 30 s; range 1 s to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long running tasks may finish after the process was told to stop, before they are given back to the queue. Default 20 s;
    /// range 0 to 1 h. The host's shutdown timeout is set to this plus <see cref="DrainGrace"/> plus 15 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a handler may take to stop while draining, before its task is given back without it. Default 5 s; range 1 s to 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan DrainGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What happens at start when the pool cannot carry the slots. Default <see cref="PoolCheckMode.Error"/>.</summary>
    public PoolCheckMode PoolCheck { get; set; } = PoolCheckMode.Error;

    /// <summary>Connections of the pool that are not for tasks: keeper, scheduler, relay. Default 6; range 1 to 100.</summary>
    [Range(1, 100)]
    public int ReservedConnections { get; set; } = 6;

    /// <summary>
    /// Hold a lock that dies with the process, so that others need not wait for its lease to end. Default true; false where
    /// <c>ConnectionStrings:PlatformDirect</c> can only lead through a pooler in transaction mode: the lease alone decides then.
    /// </summary>
    public bool LivenessLock { get; set; } = true;

    /// <summary>How long a finished task is kept with its attempts and result file. Default 30 days; range 1 min to 10 years.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan TaskRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long an upload is kept that no waiting or running task refers to. Default 24 h; range 1 min to 10 years.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan UploadRetention { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often expired rows are deleted. Default 10 min; range 1 s to 1 day.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan RetentionInterval { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>The limits of a kind.</summary>
    public HeavyTaskKindOptions Of(string kind) => Kinds.TryGetValue(kind, out var options) ? options : HeavyTaskKindOptions.Default;

    /// <inheritdoc />
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (kind, options) in Kinds)
        {
            var results = new List<ValidationResult>();
            Validator.TryValidateObject(options, new ValidationContext(options), results, validateAllProperties: true);
            foreach (var result in results)
            {
                yield return new ValidationResult($"HeavyTasks:Kinds:{kind}: {result.ErrorMessage}", result.MemberNames);
            }
        }
    }
}

/// <summary>What <see cref="PoolCheck"/> does when the pool is too small.</summary>
public enum PoolCheckMode
{
    /// <summary>The process does not start.</summary>
    Error,

    /// <summary>A warning is logged; tasks wait for connections.</summary>
    Warn,

    /// <summary>Nothing is checked; tasks wait for connections.</summary>
    Off,
}

/// <summary>Limits of one kind. Section <c>HeavyTasks:Kinds:&lt;kind&gt;</c>.</summary>
public sealed class HeavyTaskKindOptions
{
    internal static readonly HeavyTaskKindOptions Default = new();

    /// <summary>Tasks of this kind that one process runs at once. Default 2; range 1 to 1,000.</summary>
    [Range(1, 1000)]
    public int Concurrency { get; set; } = 2;

    /// <summary>
    /// Connections that one task holds at most at the same time. Default 1; 2 for a handler that writes while it streams a query. Range 1 to 10.
    /// </summary>
    [Range(1, 10)]
    public int ConnectionsPerTask { get; set; } = 1;

    /// <summary>
    /// How long one attempt may run before it is told to stop and counts as a failure. Default 1 h; range 1 s to 30 days. With RabbitMQ's
    /// <c>consumer_timeout</c> below this the task still runs once, but its message comes again.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan RunTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Upper bound of the pause before the second attempt; doubles with every failure. The pause is drawn evenly between 0 and the
    /// bound ("full jitter"), so that tasks that failed together do not come back together. Default 5 s; range 10 ms to 1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Where the doubling of <see cref="RetryDelay"/> ends. Default 10 min; range 10 ms to 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "7.00:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(10);
}
