namespace Platform.HeavyTasks;

/// <summary>
/// Asks whether a statement runs on a session. Each row contains the server's number of the session that asks, the session, whether nothing
/// runs on it, and for how many seconds nothing has run.
/// </summary>
internal static class SessionStatements
{
    /// <summary>Needs no privilege: the sessions belong to the same user.</summary>
    public static string MySql(IEnumerable<long> sessions) =>
        $"""
            SELECT CAST(CONNECTION_ID() AS SIGNED), CAST(ID AS SIGNED), COMMAND = 'Sleep', CAST(TIME AS DOUBLE)
            FROM information_schema.PROCESSLIST WHERE ID IN ({string.Join(", ", sessions)})
            """;

    /// <summary>Parameter: the sessions.</summary>
    public const string PostgreSql = """
        SELECT pg_backend_pid()::bigint, pid::bigint, state LIKE 'idle%',
               extract(epoch FROM clock_timestamp() - state_change)::float8
        FROM pg_stat_activity WHERE pid = ANY ($1) AND state IS NOT NULL AND state <> 'disabled'
        """;
}
