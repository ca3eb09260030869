namespace Platform.HeavyTasks;

/// <summary>
/// Thrown by a handler when retrying is useless: the task becomes Failed at once. The client sees the exception's message.
/// </summary>
public sealed class NonRetryableException : Exception
{
    /// <summary>Creates the exception with a message for the client.</summary>
    public NonRetryableException(string message)
        : base(message) { }

    /// <summary>Creates the exception with a message for the client and its cause.</summary>
    public NonRetryableException(string message, Exception innerException)
        : base(message, innerException) { }
}
