namespace Platform.HeavyTasks;

/// <summary>Thrown by a handler when trying again is useless: the task becomes Failed at once. Its message is shown to the client.</summary>
public sealed class NonRetryableException : Exception
{
    /// <summary>With a message for the client.</summary>
    public NonRetryableException(string message)
        : base(message) { }

    /// <summary>With a message for the client and its cause.</summary>
    public NonRetryableException(string message, Exception innerException)
        : base(message, innerException) { }
}
