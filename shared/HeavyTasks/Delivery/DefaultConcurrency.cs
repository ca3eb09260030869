using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Lets kinds of which nobody set the concurrency share what the pool has: two tasks at once of each, or one. With a fixed default, one more
/// kind could keep a worker from starting that ran before.
/// </summary>
internal sealed class DefaultConcurrency(HandledKinds kinds, IOptions<DatabaseOptions> database) : IPostConfigureOptions<HeavyTaskOptions>
{
    public void PostConfigure(string? name, HeavyTaskOptions options)
    {
        foreach (var kind in kinds.All)
        {
            options.Kinds.TryAdd(kind.Name, new HeavyTaskKindOptions());
        }

        var limits = kinds.All.Select(kind => options.Of(kind.Name)).ToList();
        if (options.ReservedConnections + limits.Sum(limit => limit.Concurrency * limit.ConnectionsPerTask) > database.Value.MaxPoolSize)
        {
            // If one of each is too many, too, the check of the pool says what to set.
            limits.ForEach(limit => limit.DefaultConcurrency = 1);
        }
    }
}
