using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>A line that a handler wrote with <see cref="HeavyTaskContext.Log"/>, for people who look at the task.</summary>
public class HeavyTaskLogLine
{
    /// <summary>The longest text kept, in characters.</summary>
    internal const int MaxTextLength = 1_000;

    /// <summary>The most lines kept of an attempt; earlier ones are deleted.</summary>
    internal const int MaxLines = 1_000;

    /// <summary>The most attempts of a task whose lines are kept; those of earlier ones are deleted.</summary>
    internal const int MaxAttempts = 5;

    /// <summary>The id of the task.</summary>
    public Guid TaskId { get; init; }

    /// <summary>The attempt that wrote the line.</summary>
    public int Attempt { get; init; }

    /// <summary>The number of the line in its attempt; 1 for the first.</summary>
    public int Number { get; init; }

    /// <summary>When it was written (UTC, the worker's clock).</summary>
    public DateTime At { get; init; }

    /// <summary>How important it is.</summary>
    public LogLevel Level { get; init; }

    /// <summary>What it says. Kept in the database only, never in the log of the process.</summary>
    public string Text { get; init; } = "";
}
