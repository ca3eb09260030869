namespace Platform.HeavyTasks;

/// <summary>
/// One connection of the pool, from the moment somebody took it until it is given back: who took it, when, and what is known of the
/// statements on it. All times are timestamps of the time provider.
/// </summary>
/// <param name="holder">The work that took the connection; null if it is unknown.</param>
/// <param name="since">When the connection was taken.</param>
/// <param name="session">The server's number for the connection; 0 if the driver does not tell it.</param>
internal sealed class HeldConnection(object? holder, long since, long session)
{
    private volatile bool runs;
    private long endedAt = since;
    private volatile Answer? answer;

    public object? Holder => holder;

    public long Since { get; } = since;

    public long Session => session;

    /// <summary>When the watch looks at this connection again. Only the watch uses it.</summary>
    public long? NextLook { get; set; }

    /// <summary>Whether a warning was logged; each holding is logged once. Only the watch uses it.</summary>
    public bool IsLogged { get; set; }

    /// <summary>Records that Entity Framework executes a statement, or begins to read its rows.</summary>
    public void StatementBegan()
    {
        runs = true;
        answer = null;
    }

    /// <summary>Records that the statement has ended and its rows are read.</summary>
    public void StatementEnded(long now)
    {
        Volatile.Write(ref endedAt, now);
        runs = false;
        answer = null;
    }

    /// <summary>Records what the watch found out. It counts until Entity Framework executes another statement.</summary>
    /// <param name="idleSince">Since when nothing has run; null when something runs.</param>
    /// <param name="isTooLong">Whether that is longer than the limit.</param>
    public void Found(long? idleSince, bool isTooLong) => answer = new Answer(idleSince, isTooLong);

    /// <summary>
    /// Since when nothing has run on the connection, as far as this process sees the statements of Entity Framework. Null while one runs.
    /// </summary>
    public long? SeenIdleSince => runs ? null : Volatile.Read(ref endedAt);

    /// <summary>Since when nothing has run on the connection, as far as anybody knows. Null while something runs.</summary>
    public long? IdleSince => answer is { } found ? found.IdleSince : SeenIdleSince;

    /// <summary>
    /// Whether the watch found that nothing has run on the connection for longer than the limit, and nothing has been seen to run since.
    /// </summary>
    public bool IsIdleTooLong => answer is { IsTooLong: true };

    private sealed record Answer(long? IdleSince, bool IsTooLong);
}
