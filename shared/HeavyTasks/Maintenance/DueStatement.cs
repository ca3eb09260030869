using System.Runtime.CompilerServices;

namespace Platform.HeavyTasks;

/// <summary>Locks due tasks, oldest first; those that another scheduler has locked are skipped.</summary>
internal static class DueStatement
{
    // The status is part of the text: with a parameter in its place, PostgreSQL would not use its index of Scheduled tasks.
    private const string Text =
        $"SELECT * FROM heavy_tasks WHERE status = '{nameof(HeavyTaskStatus.Scheduled)}' AND due_at <= {DatabaseProvider.Now}"
        + " ORDER BY due_at LIMIT {0} FOR UPDATE SKIP LOCKED";

    /// <summary>The statement, for <c>FromSql</c> inside a transaction.</summary>
    public static FormattableString Of(int limit) => FormattableStringFactory.Create(Text, limit);
}
