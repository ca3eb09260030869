using System.ComponentModel.DataAnnotations;
using Platform.HeavyTasks;

namespace Platform.Api.HeavyTasks;

/// <summary>What a task gets that its request does not say. Section <c>HeavyTasks</c>.</summary>
public sealed class SubmitHeavyTaskOptions
{
    /// <summary>Attempts of a task that is submitted without <c>maxAttempts</c>. Default 5; range 1 to 100.</summary>
    [Range(1, HeavyTask.MaxMaxAttempts)]
    public int DefaultMaxAttempts { get; set; } = HeavyTask.DefaultMaxAttempts;

    /// <summary>
    /// Transactions that save submitted tasks at the same time; a task that comes meanwhile shares the next one with the others that came.
    /// Each takes a connection of the pool while it lasts. Default 2; range 1 to 100.
    /// </summary>
    [Range(1, 100)]
    public int MaxConcurrentSaves { get; set; } = 2;
}
