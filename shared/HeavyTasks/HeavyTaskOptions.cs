using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks;

/// <summary>How a worker claims, keeps and gives back heavy tasks. Section <c>HeavyTasks</c>.</summary>
public sealed class HeavyTaskOptions : IValidatableObject
{
    /// <summary>
    /// The limits of each kind, by name. A kind that is not listed has the defaults of <see cref="HeavyTaskKindOptions"/>.
    /// </summary>
    public IDictionary<string, HeavyTaskKindOptions> Kinds { get; } = new Dictionary<string, HeavyTaskKindOptions>(StringComparer.Ordinal);

    /// <summary>
    /// The number of crashes (attempts whose owner died) after which a task is Failed. Default 3; range 1 to 100. A death counts against all
    /// tasks of the process, unless one with a single crash left is among them: then against that one alone. Of those, a process runs one at
    /// a time. So from 3 on, a task that kills its process does not take others with it.
    /// </summary>
    [Range(1, 100)]
    public int MaxCrashes { get; set; } = 3;

    /// <summary>Whether the next crash of a task with this many would be its last, so that it must not run beside others like it.</summary>
    internal bool IsSuspect(int crashes) => crashes > 0 && crashes + 1 >= MaxCrashes;

    /// <summary>
    /// How often the scheduler looks for due tasks, dead owners and vanished messages, and how often the keeper looks for cancel requests
    /// and for tasks that were taken away. Default 1 s; range 100 ms to 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:10")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a kind must have had free slots and no delivery before its oldest Queued tasks are published again. Default 5 s; range 1 s
    /// to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan VanishedAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How much longer than a claimed task another one of the same kind may have been queued, before its message counts as lost and is
    /// published again. Default 1 min; range 1 s to 1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan OvertakenAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a handler may go on after it was told to stop (cancel, <c>RunTimeout</c>, task taken away). Then its task is taken from it
    /// and its slot is reported as stuck. Default 30 s; range 1 s to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan StopGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long running tasks may go on after the process was told to stop, before they are told to stop, too. Default 20 s; range 0 to 1
    /// h. The host's shutdown timeout is set to this plus twice <see cref="DrainGrace"/> plus 15 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// How long a handler may take to stop while the worker drains, before its task goes back to the queue anyway. Default 5 s; range 1 s
    /// to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan DrainGrace { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What happens at start when the pool is too small for the slots. Default <see cref="PoolCheckMode.Error"/>.</summary>
    public PoolCheckMode PoolCheck { get; set; } = PoolCheckMode.Error;

    /// <summary>
    /// Connections of the pool that are not for tasks but for the keeper, the scheduler and the relay. Default 6; range 1 to 100.
    /// </summary>
    [Range(1, 100)]
    public int ReservedConnections { get; set; } = 6;

    /// <summary>
    /// Whether the worker holds a lock that dies with its process, so that others learn of its death before its lease ends. Default true.
    /// Set it to false where <c>ConnectionStrings:PlatformDirect</c> can only lead through a pooler in transaction mode: then the lease
    /// alone decides.
    /// </summary>
    public bool LivenessLock { get; set; } = true;

    /// <summary>
    /// How long a finished task is kept, with its attempts and its result file. Default 30 days; range 1 min to 10 years.
    /// </summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan TaskRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long the record of who did what is kept. Default 1 year; range 1 min to 10 years.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "3650.00:00:00")]
    public TimeSpan AuditRetention { get; set; } = TimeSpan.FromDays(365);

    /// <summary>How long an upload is kept when no task needs it that has not succeeded. Default 24 h; range 1 min to 10 years.</summary>
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

    /// <summary>A warning is logged. Tasks may have to wait for connections.</summary>
    Warn,

    /// <summary>Nothing is checked. Tasks may have to wait for connections.</summary>
    Off,
}

/// <summary>The limits of one kind. Section <c>HeavyTasks:Kinds:&lt;kind&gt;</c>.</summary>
public sealed class HeavyTaskKindOptions
{
    internal static readonly HeavyTaskKindOptions Default = new();

    private int? concurrency;

    /// <summary>
    /// How many tasks of this kind one process runs at once. Range 1 to 1,000. Default 2; 1 where the pool has no connections for a second task
    /// of every kind that leaves this out.
    /// </summary>
    [Range(1, 1000)]
    public int Concurrency
    {
        get => concurrency ?? DefaultConcurrency;
        set => concurrency = value;
    }

    internal bool HasConcurrency => concurrency is not null;

    internal int DefaultConcurrency { get; set; } = 2;

    /// <summary>
    /// The most connections that one task holds at the same time. Default 1; set 2 for a handler that writes while it streams a query.
    /// Range 1 to 10.
    /// </summary>
    [Range(1, 10)]
    public int ConnectionsPerTask { get; set; } = 1;

    /// <summary>
    /// How long one attempt may run before it is told to stop and counts as a failure. Default 1 h; range 1 s to 30 days. If RabbitMQ's
    /// <c>consumer_timeout</c> is shorter, the task still runs once, but the broker delivers its message again.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "30.00:00:00")]
    public TimeSpan RunTimeout { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// The longest delay before a task is tried again after its first failure; it doubles with every further failure. The actual delay is
    /// drawn evenly between 0 and that limit ("full jitter"), so that tasks that failed together do not come back together. Default 5 s;
    /// range 10 ms to 1 day.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "1.00:00:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The limit at which the doubling of <see cref="RetryDelay"/> ends. Default 10 min; range 10 ms to 7 days.</summary>
    [Range(typeof(TimeSpan), "00:00:00.01", "7.00:00:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(10);
}
