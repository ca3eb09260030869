using Npgsql;

namespace Platform.Hosts;

/// <summary>What became of the work, as far as this process remembers.</summary>
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

    // The driver gives this error no type of its own.
    private static bool IsExhausted(Exception exception) =>
        exception is NpgsqlException && exception.Message.Contains("pool has been exhausted", StringComparison.Ordinal)
        || (exception.InnerException is { } inner && IsExhausted(inner));

    /// <param name="Accepted">Answered with 202.</param>
    /// <param name="Completed">Ran to its end.</param>
    /// <param name="Failed">Ended in an exception.</param>
    /// <param name="Disposed">Of these: the context was disposed.</param>
    /// <param name="Exhausted">Of these: no connection in time.</param>
    internal sealed record Counts(int Accepted, int Completed, int Failed, int Disposed, int Exhausted);
}
