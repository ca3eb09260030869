using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Following;

/// <summary>Says in a few words how far a task has come.</summary>
internal static class FollowStage
{
    /// <summary>The status and what explains it: the attempt, the due time, a requested cancellation, the last attempt's error.</summary>
    public static string Describe(HeavyTask task)
    {
        var stage = task.Status switch
        {
            "Scheduled" when task.DueAt is not null => $"Scheduled for {Figures.Time(task.DueAt)}",
            "Running" => $"Running, attempt {task.Attempt}",
            _ => task.Status,
        };
        if (task is { CancelRequested: true, IsFinished: false })
        {
            stage += ", cancel requested";
        }

        return task is { Failures: > 0, IsFinished: false, Error: { Length: > 0 } error } ? $"{stage} (last error: {error})" : stage;
    }
}
