namespace Platform.HeavyTasks;

/// <summary>
/// Submits, cancels and retries heavy tasks on the context of this scope. Every change is part of the caller's own transaction, and happens
/// only if that commits.
/// </summary>
public interface IHeavyTasks
{
    /// <summary>
    /// Adds a task to the context. The caller's next <c>SaveChangesAsync</c> saves the task's row and its message together with everything
    /// else that the context tracks, or nothing. A worker hears of the task after the commit.
    /// </summary>
    /// <param name="parameters">
    /// The parameters for the handler. Their type has the attribute <c>HeavyTaskKind</c>. They are kept as JSON, at most 64 KiB.
    /// </param>
    /// <param name="options">Default: the task runs at once and is given up after five failures.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The id of the task.</returns>
    /// <exception cref="ArgumentException">The parameters or an option are not valid; nothing was added.</exception>
    Task<Guid> SubmitAsync<TParameters>(
        TParameters parameters,
        HeavyTaskSubmitOptions? options = null,
        CancellationToken cancellationToken = default
    )
        where TParameters : class;

    /// <summary>
    /// Cancels a task. A waiting task never runs. A running task becomes Cancelled when its handler has stopped, usually about a second
    /// later. The call saves what the context tracks, in its current transaction, or in a new one if there is none.
    /// </summary>
    Task<CancelOutcome> CancelAsync(Guid taskId, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a Failed or Cancelled task again from its last checkpoint; its failures and crashes count from zero. The call saves what the
    /// context tracks, in its current transaction, or in a new one if there is none.
    /// </summary>
    /// <returns>False when there is no such task, or when it is neither Failed nor Cancelled.</returns>
    Task<bool> RetryAsync(Guid taskId, CancellationToken cancellationToken = default);
}

/// <summary>Options of a task that is submitted.</summary>
public sealed record HeavyTaskSubmitOptions
{
    /// <summary>The number of failures after which the task is given up. Default 5; range 1 to 100.</summary>
    public int MaxFailures { get; init; } = HeavyTask.DefaultMaxFailures;

    /// <summary>The earliest time to run the task, at most a year ahead. Default: at once.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>
    /// The tenant to which the task belongs: of the HTTP endpoints' clients only those of this tenant, and those of none, see it, and it may
    /// need files of this tenant only. 1 to 64 letters, digits, <c>.</c>, <c>_</c> and <c>-</c>; empty for no tenant. Default null: in a handler the
    /// tenant of the running task, elsewhere none.
    /// </summary>
    public string? TenantId { get; init; }

    /// <summary>
    /// Words by which people find the task again, such as the number of an order: at most 10, each of 1 to 64 letters of ASCII, digits and
    /// <c>._:/@#+-</c>. Default: none.
    /// </summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>
    /// Makes the task unique in its tenant while its row is kept: if the key exists already, the caller's <c>SaveChangesAsync</c> fails, as with any
    /// other unique index, and saves nothing. 1 to 200 visible ASCII characters. Default: none.
    /// </summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>The outcome of a request to cancel a task.</summary>
public enum CancelOutcome
{
    /// <summary>There is no such task.</summary>
    NotFound,

    /// <summary>The task was waiting and is now Cancelled.</summary>
    Cancelled,

    /// <summary>The task runs; its worker will tell the handler to stop.</summary>
    Requested,

    /// <summary>The task had already ended.</summary>
    AlreadyEnded,

    /// <summary>The status changed between five reads in a row. Try again.</summary>
    KeptChanging,
}
