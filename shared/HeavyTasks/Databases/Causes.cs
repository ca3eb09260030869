namespace Platform.HeavyTasks;

/// <summary>Lists an error and its inner errors.</summary>
internal static class Causes
{
    public static IEnumerable<Exception> Of(Exception? exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            yield return cause;
        }
    }
}
