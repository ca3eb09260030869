using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>
/// The trivial task: one tracked row, saved when the task completes. It replaces the handler of a kind without parameters that the API
/// knows, so that tasks can be submitted to the real API.
/// </summary>
public sealed class WriteRow(PlatformDbContext db, TimeProvider time) : HeavyTaskHandler<UserStatisticsParameters>
{
    /// <inheritdoc />
    public override Task RunAsync(HeavyTaskContext<UserStatisticsParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);

        // The monotonic clock belongs to the machine, so the runner can compare this time with its own clock.
        db.Users.Add(new User { ExternalId = context.TaskId.ToString(), Name = time.GetTimestamp().ToString() });
        return Task.CompletedTask;
    }
}
