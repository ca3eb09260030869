namespace Platform.Contracts;

/// <summary>The task succeeded. Published in the transaction that completed it: at least once, no order promised.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The attempt that succeeded.</param>
public sealed record HeavyTaskSucceeded(Guid TaskId, string Kind, int Attempt);

/// <summary>The task failed for good: attempts or crashes are used up, or its handler said that retrying is useless.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The last attempt.</param>
/// <param name="Error">What went wrong, as in the task's row.</param>
public sealed record HeavyTaskFailed(Guid TaskId, string Kind, int Attempt, string Error);

/// <summary>The task was cancelled, waiting or running.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The attempt that was running, or the last one before; 0 when it never ran.</param>
public sealed record HeavyTaskCancelled(Guid TaskId, string Kind, int Attempt);
