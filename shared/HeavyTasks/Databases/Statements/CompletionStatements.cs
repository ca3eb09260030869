namespace Platform.HeavyTasks;

/// <summary>Statements that complete a task (Running to Succeeded) where the change tracker does not save the change.</summary>
internal static class CompletionStatements
{
    /// <summary>
    /// The first statements of the transaction that saves the handler's changes. If the first changes no row, the second adds one to the
    /// largest number and so fails: the server stops at that error and executes nothing after it. (DO would not stop: it ignores errors.)
    /// On PostgreSQL the update is part of Entity Framework's batch, because status, attempt and owner are concurrency tokens there.
    /// </summary>
    public static string MySql(EngineTables tables) =>
        $"""
            UPDATE {tables.Tasks} FORCE INDEX (PRIMARY)
            SET status = '{nameof(HeavyTaskStatus.Succeeded)}', owner = NULL, finished_at = @finished, result = @result,
                result_file_id = @result_file, progress_done = @done, progress_total = @total, progress_text = @text
            WHERE id = @task AND status = '{nameof(HeavyTaskStatus.Running)}' AND attempt = @attempt AND owner = @owner;
            SET @platform_fence = 9223372036854775807 + (ROW_COUNT() <> 1);
            UPDATE {tables.Attempts} SET ended_at = @finished, outcome = '{nameof(AttemptOutcome.Succeeded)}'
            WHERE task_id = @task AND attempt = @attempt;
            """;
}
