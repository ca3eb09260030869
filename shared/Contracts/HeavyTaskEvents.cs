namespace Platform.Contracts;

/// <summary>A worker claimed the task and runs it. Best effort: may be missing.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">1 for the first; rises with every claim.</param>
/// <param name="Worker">Host and process that run it.</param>
public sealed record HeavyTaskStarted(Guid TaskId, string Kind, int Attempt, string Worker);

/// <summary>The task reported progress. Best effort, at most twice a second per task: may be missing or late.</summary>
/// <param name="TaskId">The task.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Attempt">The attempt that reports.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, where the handler knows.</param>
/// <param name="Text">What it is doing, for people.</param>
public sealed record HeavyTaskProgressed(Guid TaskId, string Kind, int Attempt, long Done, long? Total, string? Text);

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
