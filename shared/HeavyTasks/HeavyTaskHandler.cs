namespace Platform.HeavyTasks;

/// <summary>
/// Runs the heavy tasks of one kind. A new instance is created for every attempt, in the scope that MassTransit opened for the
/// message; its <c>DbContext</c> belongs to this attempt alone.
/// </summary>
/// <remarks>
/// Hold no connection and no transaction while computing: read in short pages, write in <c>CheckpointAsync</c>.
/// What is tracked when <see cref="RunAsync"/> returns is saved in the transaction that completes the task. <c>SaveChanges</c> outside
/// a checkpoint is refused. Everything up to the last checkpoint happens once; what follows it may happen again, so effects outside
/// the database must bear repetition.
/// </remarks>
/// <typeparam name="TParameters">The parameter record; its <c>HeavyTaskKind</c> attribute names the kind.</typeparam>
public abstract class HeavyTaskHandler<TParameters>
    where TParameters : class
{
    /// <summary>
    /// Runs one attempt. Returning means success. Throwing means failure: the task is tried again later, up to its
    /// <c>maxAttempts</c>, unless a <see cref="NonRetryableException"/> is thrown.
    /// </summary>
    public abstract Task RunAsync(HeavyTaskContext<TParameters> context);
}
