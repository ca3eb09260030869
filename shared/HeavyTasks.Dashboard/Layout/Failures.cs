namespace Platform.HeavyTasks.Dashboard;

/// <summary>What people read when an action failed. Details of servers stay in the log.</summary>
internal static class Failures
{
    public static string Text(Exception exception) =>
        exception is UnauthorizedAccessException ? exception.Message : "The database does not answer. Try again.";
}
