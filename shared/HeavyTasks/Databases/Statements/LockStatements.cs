using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>Locks tasks for the transaction that then changes them. Only the clock differs between the databases.</summary>
internal static class LockStatements
{
    extension(DbContext db)
    {
        /// <summary>Locks due tasks, oldest first; skips those that another scheduler has locked.</summary>
        public IQueryable<HeavyTask> LockDue(int limit) => db.HeavyTasks.FromSqlRaw(Due(EngineTables.Of(db), Dialect.Current.Now), limit);

        /// <summary>
        /// Locks tasks of a kind that have been queued since before a moment, oldest first; skips those that are being claimed or cancelled.
        /// </summary>
        public IQueryable<HeavyTask> LockQueuedBefore(string kind, DateTime moment, int limit) =>
            db.HeavyTasks.FromSqlRaw(QueuedBefore(EngineTables.Of(db)), kind, IdsAfter(moment), moment, limit);

        /// <summary>Locks waiting tasks of a kind with lower ids, oldest first; skips those that are being claimed or cancelled.</summary>
        public IQueryable<HeavyTask> LockWaiting(string kind, HeavyTaskStatus status, Guid before, int limit) =>
            db.HeavyTasks.FromSqlRaw(Waiting(EngineTables.Of(db)), kind, $"{status}", before, limit);

        /// <summary>Locks running tasks of an owner; skips those that another worker is taking over.</summary>
        public IQueryable<HeavyTask> LockOwnedBy(Guid owner, int limit) =>
            db.HeavyTasks.FromSqlRaw(OwnedBy(EngineTables.Of(db)), owner, limit);

        /// <summary>Locks those of the tasks that an owner runs; skips those that are locked.</summary>
        public IQueryable<HeavyTask> LockRunning(Guid owner, Guid[] ids) =>
            db.HeavyTasks.FromSqlRaw(RunningOf(EngineTables.Of(db), ids.Length), [owner, .. ids.Cast<object>()]);

        /// <summary>Locks the task of an attempt if the fence holds; waits for whoever has locked it.</summary>
        public IQueryable<HeavyTask> LockOwned(HeavyTaskFence fence) =>
            db.HeavyTasks.FromSqlRaw(Owned(EngineTables.Of(db)), fence.TaskId, fence.Attempt, fence.Owner);
    }

    // The status is a literal: with a parameter, PostgreSQL would not use its index of Scheduled tasks.
    private static string Due(EngineTables tables, string now) =>
        $$"""
            SELECT * FROM {{tables.Tasks}} WHERE status = '{{nameof(HeavyTaskStatus.Scheduled)}}' AND due_at <= {{now}}
            ORDER BY due_at LIMIT {0} FOR UPDATE SKIP LOCKED
            """;

    // Later ids were created, and so queued, after the moment; without that bound a search that finds nothing would read the whole backlog.
    private static string QueuedBefore(EngineTables tables) =>
        $$"""
            SELECT * FROM {{tables.Tasks}} WHERE kind = {0} AND status = '{{nameof(
                HeavyTaskStatus.Queued
            )}}' AND id < {1} AND queued_at < {2}
            ORDER BY id LIMIT {3} FOR UPDATE SKIP LOCKED
            """;

    // Ids are made by the clocks of the services, which may differ from the database's.
    private static Guid IdsAfter(DateTime moment) => Guid.CreateVersion7(new DateTimeOffset(moment, TimeSpan.Zero).AddMinutes(1));

    private static string Waiting(EngineTables tables) =>
        $$"""
            SELECT * FROM {{tables.Tasks}} WHERE kind = {0} AND status = {1} AND id < {2}
            ORDER BY id LIMIT {3} FOR UPDATE SKIP LOCKED
            """;

    private static string OwnedBy(EngineTables tables) =>
        $$"""
            SELECT * FROM {{tables.Tasks}} WHERE owner = {0} AND status = '{{nameof(HeavyTaskStatus.Running)}}'
            ORDER BY id LIMIT {1} FOR UPDATE SKIP LOCKED
            """;

    private static string RunningOf(EngineTables tables, int count) =>
        $$"""
            SELECT * FROM {{tables.Tasks}}
            WHERE id IN ({{string.Join(", ", Enumerable.Range(1, count).Select(i => $"{{{i}}}"))}}) AND owner = {0} AND status = '{{nameof(
                HeavyTaskStatus.Running
            )}}'
            FOR UPDATE SKIP LOCKED
            """;

    private static string Owned(EngineTables tables) =>
        $$"""
            SELECT * FROM {{tables.Tasks}} WHERE id = {0} AND status = '{{nameof(
                HeavyTaskStatus.Running
            )}}' AND attempt = {1} AND owner = {2}
            FOR UPDATE
            """;

    /// <summary>
    /// Ends the sessions whose transactions have locked running tasks of an owner, and returns their number. A row names the transaction that
    /// has locked it, and a transaction holds a lock on its own number as long as it lasts. Parameter: the owner.
    /// </summary>
    public static string EndLockersOnPostgreSql(EngineTables tables) =>
        $"""
            SELECT count(*) FILTER (WHERE pg_terminate_backend(lockers.pid)) FROM (
                SELECT DISTINCT l.pid FROM {tables.Tasks} t
                JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.transactionid = t.xmax
                JOIN pg_stat_activity a ON a.pid = l.pid AND a.usename = current_user
                WHERE t.owner = $1 AND t.status = '{nameof(HeavyTaskStatus.Running)}' AND l.pid <> pg_backend_pid()) lockers
            """;

    /// <summary>Waits for the lock of a task for whole seconds. Parameter: <c>@id</c>.</summary>
    public static string WaitForOneOnMySql(EngineTables tables, TimeSpan wait) =>
        $"""
            SET SESSION innodb_lock_wait_timeout = {(int)wait.TotalSeconds};
            SELECT id FROM {tables.Tasks} FORCE INDEX (PRIMARY) WHERE id = @id FOR UPDATE
            """;

    /// <summary>Ends what <see cref="WaitForOneOnMySql"/> set for its session.</summary>
    public const string RestoreWaitOnMySql = "SET SESSION innodb_lock_wait_timeout = DEFAULT";

    /// <summary>Returns the sessions for which a session waits. Parameter: <c>@waiting</c>. Needs the PROCESS privilege.</summary>
    public const string BlockersOnMariaDb = """
        SELECT DISTINCT CAST(b.trx_mysql_thread_id AS SIGNED) FROM information_schema.INNODB_LOCK_WAITS w
        JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id
        JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id
        WHERE r.trx_mysql_thread_id = @waiting AND b.trx_mysql_thread_id > 0
        """;

    /// <summary>The same. Needs the SELECT privilege on <c>performance_schema</c>.</summary>
    public const string BlockersOnMySql = """
        SELECT DISTINCT CAST(b.PROCESSLIST_ID AS SIGNED) FROM performance_schema.data_lock_waits w
        JOIN performance_schema.threads r ON r.THREAD_ID = w.REQUESTING_THREAD_ID
        JOIN performance_schema.threads b ON b.THREAD_ID = w.BLOCKING_THREAD_ID
        WHERE r.PROCESSLIST_ID = @waiting AND b.PROCESSLIST_ID IS NOT NULL
        """;
}
