namespace Platform.Contracts;

/// <summary>
/// Asks for one heavy task to be run. Thin on purpose: the row <c>heavy_tasks</c> is the truth, this only says where to look.
/// It may arrive twice or late; a worker that does not win the claim acknowledges it and does nothing.
/// </summary>
/// <param name="TaskId">The task's row.</param>
/// <param name="Kind">The routing key: decides the queue.</param>
public sealed record HeavyTaskRequested(Guid TaskId, string Kind);
