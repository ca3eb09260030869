using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Diagnosis;

/// <summary>
/// What somebody ordered and may have forgotten: workers that drain and kinds that are paused. Nothing is wrong with either, but each
/// explains why tasks wait.
/// </summary>
internal static class Remarks
{
    /// <summary>The most paused kinds whose tasks are counted, each with a request of its own.</summary>
    private const int MaxCounted = 20;

    /// <summary>The most tasks that are counted of a kind: a page of the API.</summary>
    private const int MaxWaiting = 200;

    /// <summary>Each worker that drains.</summary>
    public static IEnumerable<string> OfWorkers(ServiceList list) =>
        list.Services.SelectMany(service =>
            service
                .Instances.Where(instance => instance.DrainedAt is not null)
                .Select(instance =>
                    $"{service.Name} ({instance.Host}) drains since {Figures.Time(instance.DrainedAt)}, "
                    + $"{Tasks(instance.InFlight)} running. To let it begin tasks again: platform workers resume {instance.Id}"
                )
        );

    /// <summary>Each kind that is paused, and how many of its tasks wait.</summary>
    /// <exception cref="ApiRefusedException">The key may not read tasks.</exception>
    /// <exception cref="ApiUnavailableException">There is no usable answer.</exception>
    public static async Task<IReadOnlyList<string>> OfKindsAsync(PlatformClient client, CancellationToken cancellationToken)
    {
        var paused = (await client.ListKindsAsync(cancellationToken)).Value.Where(kind => kind.PausedAt is not null).ToList();
        var remarks = new List<string>();
        foreach (var kind in paused.Take(MaxCounted))
        {
            var filter = new TaskFilter("Queued", kind.Kind);
            var waiting = (await client.ListAsync(filter, cursor: null, MaxWaiting, cancellationToken)).Value;
            var count = waiting.Next is null ? Tasks(waiting.Items.Count) : $"{MaxWaiting} tasks or more";
            remarks.Add(
                $"{kind.Kind} is paused since {Figures.Time(kind.PausedAt)}, {count} queued. "
                    + $"To let workers begin them: platform kinds resume {kind.Kind}"
            );
        }

        if (paused.Count > MaxCounted)
        {
            remarks.Add($"{Figures.Count(paused.Count - MaxCounted)} more kinds are paused. See: platform kinds");
        }

        return remarks;
    }

    private static string Tasks(int count) => count is 1 ? "1 task" : $"{Figures.Count(count)} tasks";
}
