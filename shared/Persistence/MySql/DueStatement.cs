namespace Platform.Persistence;

/// <summary>Locks due tasks, oldest first; those that another scheduler has locked are skipped.</summary>
public static class DueStatement
{
    /// <summary>The statement, for <c>FromSql</c> inside a transaction.</summary>
    public static FormattableString Of(int limit) =>
        $"SELECT * FROM heavy_tasks WHERE status = 'Scheduled' AND due_at <= UTC_TIMESTAMP(6) ORDER BY due_at LIMIT {limit} FOR UPDATE SKIP LOCKED";
}
