using Npgsql;

namespace Platform.Services;

/// <summary>The outcome of the work, as far as this process remembers.</summary>
internal sealed class WorkCounts
{
    private int accepted;
    private int completed;
    private int failed;
    private int disposed;
    private int exhausted;

    public void Accepted() => Interlocked.Increment(ref accepted);

    public void Completed() => Interlocked.Increment(ref completed);

    public void Failed(Exception exception)
    {
        Interlocked.Increment(ref failed);
        if (exception is ObjectDisposedException)
        {
            Interlocked.Increment(ref disposed);
        }
        else if (IsExhausted(exception))
        {
            Interlocked.Increment(ref exhausted);
        }
    }

    public Counts Read() => new(accepted, completed, failed, disposed, exhausted);

    // The driver has no exception type for this error.
    private static bool IsExhausted(Exception exception) =>
        exception is NpgsqlException && exception.Message.Contains("pool has been exhausted", StringComparison.Ordinal)
        || (exception.InnerException is { } inner && IsExhausted(inner));

    /// <param name="Accepted">How much work was answered with 202.</param>
    /// <param name="Completed">How much of it ran to its end.</param>
    /// <param name="Failed">How much of it ended in an exception.</param>
    /// <param name="Disposed">How much of that failed because the context was disposed.</param>
    /// <param name="Exhausted">How much of that failed because it got no connection in time.</param>
    internal sealed record Counts(int Accepted, int Completed, int Failed, int Disposed, int Exhausted);
}
