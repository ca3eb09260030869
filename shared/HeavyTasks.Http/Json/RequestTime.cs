namespace Platform.HeavyTasks.Http;

/// <summary>Times that clients send: one without an offset is UTC.</summary>
internal static class RequestTime
{
    /// <summary>The time in UTC.</summary>
    public static DateTime ToUtc(DateTime time) =>
        time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time.ToUniversalTime();
}
