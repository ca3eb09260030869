namespace Platform.HeavyTasks;

/// <summary>
/// The server's time in UTC, with microseconds. It is constant within a statement, so that an index can be searched for it.
/// </summary>
internal static class Clock
{
    public const string MySql = "UTC_TIMESTAMP(6)";
    public const string PostgreSql = "statement_timestamp()";
}
