using System.Diagnostics;

namespace Platform.HeavyTasks;

/// <summary>The spans of the engine: one for each attempt, and below it one for each checkpoint. They hold no parameters and no text of errors.</summary>
internal static class HeavyTaskTraces
{
    /// <summary>The name of the source.</summary>
    public const string SourceName = "Platform.HeavyTasks";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Begins the span of an attempt; null when nobody listens.</summary>
    public static Activity? StartAttempt(ClaimedHeavyTask task) =>
        Source
            .StartActivity($"attempt {task.Kind}")
            ?.SetTag("platform.heavy_task.id", task.Id.ToString())
            .SetTag("platform.heavy_task.kind", task.Kind)
            .SetTag("platform.heavy_task.attempt", task.Attempt);

    /// <summary>Begins the span of a checkpoint; null when nobody listens.</summary>
    public static Activity? StartCheckpoint() => Source.StartActivity("checkpoint");

    /// <summary>Says how a span went wrong. A reason to stop (a cancel, a drain) is none of the handler's.</summary>
    public static void Failed(this Activity span, Exception error, StopReason? reason = null)
    {
        span.SetTag("error.type", error.GetType().FullName);
        if (reason is { } stopped)
        {
            span.SetTag("platform.heavy_task.stopped", stopped.ToString());
        }
        else
        {
            span.SetStatus(ActivityStatusCode.Error);
        }
    }
}
