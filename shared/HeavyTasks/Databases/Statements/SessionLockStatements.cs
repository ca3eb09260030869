namespace Platform.HeavyTasks;

/// <summary>
/// Named locks that belong to a session: the server frees them the moment the session ends. Others can see whether a lock is held without
/// acquiring it.
/// </summary>
internal static class SessionLockStatements
{
    /// <summary>Lock names belong to the server, not to the database; a session of another server does not see them.</summary>
    public static class MySql
    {
        /// <summary>Parameters: <c>@name</c>, <c>@seconds</c>. Returns 1 when the lock was acquired.</summary>
        public const string Acquire = "SELECT GET_LOCK(@name, @seconds)";

        /// <summary>Parameter: <c>@name</c>. Returns 1 when this session holds the lock.</summary>
        public const string IsMine = "SELECT IS_USED_LOCK(@name) = CONNECTION_ID()";

        /// <summary>Parameters: the names. Returns one column for each, 1 when the lock is free.</summary>
        public static string AreFree(int count) => $"SELECT {string.Join(", ", Enumerable.Repeat("IS_FREE_LOCK(?)", count))}";
    }

    /// <summary>The keys are numbers and belong to the database.</summary>
    public static class PostgreSql
    {
        /// <summary>Parameter: the key. Returns true when the lock was acquired.</summary>
        public const string TryAcquire = "SELECT pg_try_advisory_lock($1)";

        /// <summary>Parameter: the key. Returns true when this session holds the lock.</summary>
        public const string IsMine =
            $"SELECT EXISTS ({Held} AND pid = pg_backend_pid() AND ((classid::bigint << 32) | objid::bigint) = $1)";

        /// <summary>Returns the key of each lock that is held.</summary>
        public const string Held = """
            SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
            WHERE locktype = 'advisory' AND objsubid = 1 AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """;

        /// <summary>
        /// Waits for the lock. It belongs to a transaction, not to a session, so it also holds through a pooler that lends connections for
        /// a transaction.
        /// </summary>
        public const string AcquireForMigrations =
            "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(hashtextextended('platform migrations', 0))";
    }
}
