namespace Platform.HeavyTasks;

/// <summary>
/// Submits heavy tasks, cancels them and runs them again, on the context of this scope: what it does takes part in the caller's own
/// transaction, and nothing of it happens without that.
/// </summary>
public interface IHeavyTasks
{
    /// <summary>
    /// Adds a task to the context. The row and its message are saved with the caller's next <c>SaveChangesAsync</c>, together with everything
    /// else that the context tracks, or not at all; a worker hears of the task after the commit.
    /// </summary>
    /// <param name="parameters">What the handler gets. Its type has the attribute <c>HeavyTaskKind</c>. Kept as JSON, at most 64 KiB.</param>
    /// <param name="options">Default: at once, with five attempts.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The id of the task.</returns>
    /// <exception cref="ArgumentException">The parameters, or an option, cannot be accepted; nothing was added.</exception>
    Task<Guid> SubmitAsync<TParameters>(
        TParameters parameters,
        HeavyTaskSubmitOptions? options = null,
        CancellationToken cancellationToken = default
    )
        where TParameters : class;

    /// <summary>
    /// Cancels a task. One that waits never runs; one that runs is Cancelled when its handler has stopped, about a second later. Saves what
    /// the context tracks, in its current transaction, or in one of its own where there is none.
    /// </summary>
    Task<CancelOutcome> CancelAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a Failed or Cancelled task again, from its last checkpoint, with failures and crashes counted from zero. Saves what the
    /// context tracks, in its current transaction, or in one of its own where there is none.
    /// </summary>
    /// <returns>False when there is no such task, or when it is neither Failed nor Cancelled.</returns>
    Task<bool> RetryAsync(Guid taskId, CancellationToken cancellationToken = default);
}

/// <summary>What a submitted task gets beside its parameters.</summary>
public sealed record HeavyTaskSubmitOptions
{
    /// <summary>Failures after which the task is given up. Default 5; range 1 to 100.</summary>
    public int MaxAttempts { get; init; } = HeavyTask.DefaultMaxAttempts;

    /// <summary>Not before this time, at most a year ahead. Default: at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>
    /// Makes the task unique while its row is kept: with a key that exists already, the caller's <c>SaveChangesAsync</c> fails as with any other
    /// unique index, and nothing of it is saved. 1 to 200 visible ASCII characters. Default: none.
    /// </summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>What became of a wish to cancel a task.</summary>
public enum CancelOutcome
{
    /// <summary>There is no such task.</summary>
    NotFound,

    /// <summary>It waited, and is Cancelled.</summary>
    Cancelled,

    /// <summary>It runs, and its worker is asked to stop it.</summary>
    Requested,

    /// <summary>It has ended before.</summary>
    AlreadyEnded,

    /// <summary>Its status changed at each of five looks. Try again.</summary>
    KeptChanging,
}
