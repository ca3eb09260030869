using System.Diagnostics.Metrics;

namespace Platform.HeavyTasks;

/// <summary>
/// The meter <c>Platform.HeavyTasks</c>: how long tasks wait and run, how they end, and how full the slots are. Names follow
/// OpenTelemetry's conventions; times are in seconds.
/// </summary>
internal sealed class HeavyTaskMetrics
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Platform.HeavyTasks";

    private readonly Histogram<double> queueWait;
    private readonly Histogram<double> runTime;
    private readonly Counter<long> takenAway;
    private readonly UpDownCounter<long> stuck;

    private readonly MinuteKeeper minutes;

    public HeavyTaskMetrics(IMeterFactory meters, HeavyTaskSlots slots, RunningAttempts runningAttempts, MinuteKeeper minutes)
    {
        this.minutes = minutes;
        var meter = meters.Create(MeterName);
        queueWait = meter.CreateHistogram<double>(
            "platform.heavy_task.queue_wait",
            "s",
            "Time from queued to claimed, on the database's clock."
        );
        runTime = meter.CreateHistogram<double>("platform.heavy_task.run_time", "s", "Time from the claim to the outcome of one attempt.");
        takenAway = meter.CreateCounter<long>(
            "platform.heavy_task.taken_away",
            "{attempt}",
            "Attempts whose task was taken over or finished elsewhere."
        );
        stuck = meter.CreateUpDownCounter<long>("platform.heavy_task.stuck", "{slot}", "Slots held by handlers that do not stop.");
        meter.CreateObservableUpDownCounter("platform.heavy_task.slots", () => slots.Total, "{slot}", "Tasks this process runs at once.");
        meter.CreateObservableUpDownCounter(
            "platform.heavy_task.in_flight",
            () => runningAttempts.Count,
            "{task}",
            "Tasks this process runs now."
        );
    }

    public void Claimed(ClaimedHeavyTask task)
    {
        if (task.QueuedAt is { } queuedAt)
        {
            var wait = task.StartedAt > queuedAt ? task.StartedAt - queuedAt : TimeSpan.Zero;
            queueWait.Record(wait.TotalSeconds, Kind(task.Kind));
            minutes.Waited(task.Kind, wait);
        }
    }

    public void Ended(string kind, AttemptOutcome outcome, TimeSpan elapsed)
    {
        runTime.Record(elapsed.TotalSeconds, Kind(kind), new KeyValuePair<string, object?>("outcome", outcome.ToString()));
        minutes.Ended(kind, outcome, elapsed);
    }

    public void TakenAway(string kind) => takenAway.Add(1, Kind(kind));

    public void Stuck(string kind, int change) => stuck.Add(change, Kind(kind));

    private static KeyValuePair<string, object?> Kind(string kind) => new("kind", kind);
}
