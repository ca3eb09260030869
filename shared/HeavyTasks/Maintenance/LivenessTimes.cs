namespace Platform.HeavyTasks;

/// <summary>
/// How long a worker looks before it calls another one dead. Only time in which it really looked counts (<see cref="Standstills"/>): neither
/// an outage of the database, nor a halt of this process, nor a jump of a clock is evidence against others.
/// </summary>
internal sealed record LivenessTimes
{
    /// <summary>How often the lock is proved and others are looked at: 500 ms.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// How long a lock must have been free, without a sign of life of its owner: 2 s. A living owner whose connection was cut takes the lock
    /// again within one <see cref="Interval"/>, or says in its row that it has none.
    /// </summary>
    public TimeSpan FreeLock { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long this worker must have held its own lock before it judges by the locks of others: 5 s. A restart of the database frees all locks
    /// at once, and every worker needs a moment to take its lock again.
    /// </summary>
    public TimeSpan Credible { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a lease must have been seen to be not renewed: a whole lease, 30 s.</summary>
    public TimeSpan Silence { get; init; } = InstanceKeeper.Lease;

    /// <summary>How long an owner must have had no row: 11 s. A living one whose row was deleted writes it again when it renews its lease.</summary>
    public TimeSpan NoRow { get; init; } = (InstanceKeeper.RenewInterval * 2) + TimeSpan.FromSeconds(1);
}
