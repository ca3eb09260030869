namespace Platform.Outbox;

/// <summary>
/// The work that this asynchronous flow runs for, recorded when a connection is taken from the pool. It is an object that describes itself,
/// set once where the work begins; everything that the work starts inherits it.
/// </summary>
internal static class CurrentWork
{
    private static readonly AsyncLocal<object?> Flow = new();

    /// <summary>The work. If an asynchronous method sets it, its caller does not see the change.</summary>
    public static object? Value
    {
        get => Flow.Value;
        set => Flow.Value = value;
    }
}
