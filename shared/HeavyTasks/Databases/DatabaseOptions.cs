using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks;

/// <summary>
/// The pool of this service and the limits of its database work. Section <c>Database</c>; the connection string named
/// <see cref="ConnectionName"/> names the server.
/// </summary>
public sealed class DatabaseOptions
{
    internal const string DefaultConnectionName = "Platform";

    /// <summary>
    /// The name of the connection string. Default <c>Platform</c>, which means <c>ConnectionStrings:Platform</c>. The direct connection
    /// that holds the liveness lock uses <c>&lt;name&gt;Direct</c> if that is set.
    /// </summary>
    [Required]
    public string ConnectionName { get; set; } = DefaultConnectionName;

    /// <summary>The most connections that this process opens in its pool. Default 10; range 1 to 1,000.</summary>
    [Range(1, 1000)]
    public int MaxPoolSize { get; set; } = 10;

    /// <summary>How many connections stay open when idle. Default 0; not above <see cref="MaxPoolSize"/>.</summary>
    [Range(0, 1000)]
    public int MinPoolSize { get; set; }

    /// <summary>
    /// How long a caller waits for a connection (a free one of the pool, or the opening of a new one) before the call fails. Default 2 s,
    /// which suits a web service; a worker, whose pool always has enough connections for its slots, may wait longer. Range 1 s to 5 min,
    /// whole seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan AcquireTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long a starting process waits for a database that does not answer, before it ends with an error. Default 1 min; range 0 to 1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long one statement may take. Default 30 s; range 1 s to 1 h, whole seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a transaction may stay idle before the server ends it, so that a halted process cannot hold locks that keep others from
    /// taking over its work. Default 15 s; range 5 s to 10 min, whole seconds.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:10:00")]
    public TimeSpan IdleInTransactionTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a connection may be held while nothing runs on it. After that, a warning names the task or the request that holds it.
    /// Default 5 s; range 0 to 1 h. 0 turns off the recording of who holds a connection.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan IdleConnectionLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many statements each connection keeps prepared at the server. Without this, the server parses and plans each statement every
    /// time, which takes longer than to run it. Default 50; range 0 to 1,000. Set 0 behind a pooler in transaction mode that does not
    /// support prepared statements (PgBouncer before 1.21).
    /// </summary>
    [Range(0, 1000)]
    public int MaxPreparedStatements { get; set; } = 50;

    /// <summary>
    /// Whether a connection is cleared of what its last user left in the session (settings, temporary tables, advisory locks) before the
    /// next user gets it. Default true. False saves the server 25 µs each time, where no user leaves anything, as in the Api.
    /// </summary>
    public bool ResetSessions { get; set; } = true;
}
