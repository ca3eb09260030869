using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks;

/// <summary>The pool of this service and the limits of its database work. Section <c>Database</c>; the server stands in the connection string named <see cref="ConnectionName"/>.</summary>
public sealed class DatabaseOptions
{
    internal const string DefaultConnectionName = "Platform";

    /// <summary>
    /// Name of the connection string, default <c>Platform</c>: <c>ConnectionStrings:Platform</c>. That of the direct connection which holds the
    /// liveness lock is <c>&lt;name&gt;Direct</c>, where there is one.
    /// </summary>
    [Required]
    public string ConnectionName { get; set; } = DefaultConnectionName;

    /// <summary>Largest number of connections this process opens in its pool. Default 10; range 1 to 1,000.</summary>
    [Range(1, 1000)]
    public int MaxPoolSize { get; set; } = 10;

    /// <summary>Connections kept open when idle. Default 0; not above <see cref="MaxPoolSize"/>.</summary>
    [Range(0, 1000)]
    public int MinPoolSize { get; set; }

    /// <summary>
    /// How long a caller waits for a connection (a free one of the pool, or the opening of a new one) before it fails.
    /// Default 2 s, which suits a web service; a worker, whose pool cannot run dry, may wait longer. Range 1 s to 5 min, whole seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan AcquireTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long one statement may take. Default 30 s; range 1 s to 1 h, whole seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a transaction may stand idle before the server ends it, so that a stopped process cannot hold locks that keep others
    /// from taking over its work. Default 15 s; range 5 s to 10 min, whole seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:10:00")]
    public TimeSpan IdleInTransactionTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Statements that each connection keeps prepared at the server, which otherwise parses and plans each of them anew every time: more
    /// work than running it. Default 50; range 0 to 1,000. 0 behind a pooler in transaction mode that does not know prepared statements
    /// (PgBouncer before 1.21).
    /// </summary>
    [Range(0, 1000)]
    public int MaxPreparedStatements { get; set; } = 50;

    /// <summary>
    /// Clear what a user of a connection left in its session (settings, temporary tables, advisory locks) before the next one gets it.
    /// Default true; false saves the server 25 µs each time, where nobody leaves anything, as in the Api.
    /// </summary>
    public bool ResetSessions { get; set; } = true;
}
