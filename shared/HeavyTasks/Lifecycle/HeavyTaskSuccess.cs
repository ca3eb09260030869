namespace Platform.HeavyTasks;

/// <summary>What a successful attempt leaves in its task.</summary>
/// <param name="FinishedAt">When it ended (UTC).</param>
/// <param name="Result">The result as JSON.</param>
/// <param name="ResultFileId">The result file.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all, where the handler knows.</param>
/// <param name="Text">What the handler said last, for people.</param>
internal sealed record HeavyTaskSuccess(DateTime FinishedAt, string? Result, Guid? ResultFileId, long Done, long? Total, string? Text);
