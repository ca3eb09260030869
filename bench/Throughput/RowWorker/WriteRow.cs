using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.RowWorker;

/// <summary>
/// The trivial task: one tracked row, saved with the task's completion. It stands in for the handler of a kind without parameters that
/// the API knows, so that tasks can be submitted to the real API.
/// </summary>
public sealed class WriteRow(PlatformDbContext db, TimeProvider time) : HeavyTaskHandler<UserStatisticsParameters>
{
    /// <inheritdoc />
    public override Task RunAsync(HeavyTaskContext<UserStatisticsParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);

        // The monotonic clock is the machine's, so the runner can compare it with its own.
        db.Users.Add(new User { ExternalId = context.TaskId.ToString(), Name = time.GetTimestamp().ToString() });
        return Task.CompletedTask;
    }
}
