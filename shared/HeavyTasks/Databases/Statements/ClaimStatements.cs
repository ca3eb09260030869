namespace Platform.HeavyTasks;

/// <summary>
/// Statements that claim tasks: Queued to Running, with the record of the attempt. "One" waits for whoever has locked the task. "Several"
/// skips locked tasks, because claims that are made together must not wait for somebody who has locked one of them, nor for each other.
/// </summary>
internal static class ClaimStatements
{
    private const string Queued = $"status = '{nameof(HeavyTaskStatus.Queued)}'";
    private const string Running = $"status = '{nameof(HeavyTaskStatus.Running)}'";

    /// <summary>
    /// Two round trips in a transaction, because UPDATE returns no rows: lock, then claim what was locked. FORCE INDEX makes the server use
    /// the primary key: otherwise it may read a small table whole, or by status, and lock rows that this claim does not want.
    /// </summary>
    public static class MySql
    {
        /// <summary>Parameters: the ids, named <paramref name="ids"/>.</summary>
        public static string LockOne(EngineTables tables, string ids) =>
            $"START TRANSACTION; SELECT id FROM {tables.Tasks} FORCE INDEX (PRIMARY) WHERE id IN ({ids}) AND {Queued} FOR UPDATE";

        /// <summary>Parameters: the ids, named <paramref name="ids"/>.</summary>
        public static string LockSeveral(EngineTables tables, string ids) => $"{LockOne(tables, ids)} SKIP LOCKED";

        /// <summary>Parameters: <c>@owner</c>, <c>@worker</c> and the ids, named <paramref name="ids"/>.</summary>
        public static string ClaimLocked(EngineTables tables, string ids) =>
            $"""
                UPDATE {tables.Tasks} FORCE INDEX (PRIMARY)
                SET {Running}, owner = @owner, attempt = attempt + 1, started_at = {Clock.MySql}, due_at = NULL, error = NULL
                WHERE id IN ({ids});
                INSERT INTO {tables.Attempts} (task_id, attempt, owner, worker, started_at)
                SELECT id, attempt, @owner, @worker, started_at FROM {tables.Tasks} WHERE id IN ({ids});
                SELECT {ClaimedHeavyTask.Columns} FROM {tables.Tasks} WHERE id IN ({ids});
                COMMIT
                """;
    }

    /// <summary>One statement, hence one transaction and one round trip. Parameters: the id or the ids, the owner, the worker.</summary>
    public static class PostgreSql
    {
        public static string One(EngineTables tables) => Claim(tables, $"id = $1 AND {Queued}");

        public static string Several(EngineTables tables) =>
            Claim(tables, $"id IN (SELECT id FROM {tables.Tasks} WHERE id = ANY ($1) AND {Queued} FOR UPDATE SKIP LOCKED)");

        private static string Claim(EngineTables tables, string which) =>
            $"""
                WITH claimed AS (
                    UPDATE {tables.Tasks}
                    SET {Running}, owner = $2, attempt = attempt + 1, started_at = {Clock.PostgreSql}, due_at = NULL, error = NULL
                    WHERE {which}
                    RETURNING {ClaimedHeavyTask.Columns}),
                recorded AS (
                    INSERT INTO {tables.Attempts} (task_id, attempt, owner, worker, started_at)
                    SELECT id, attempt, $2, $3, started_at FROM claimed)
                SELECT {ClaimedHeavyTask.Columns} FROM claimed
                """;
    }
}
