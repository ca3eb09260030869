using System.Globalization;
using Platform.Cli.Api;

namespace Platform.Cli.Diagnosis;

/// <summary>Finds what is wrong with the services and their pools, and says each in one sentence with what to do.</summary>
internal static class Findings
{
    /// <summary>The share of a pool from which on it counts as nearly full: 90 %.</summary>
    private const double NearlyFull = 0.9;

    /// <summary>How recently an instance must have been seen. It renews its row every 5 s and counts as dead after 30 s.</summary>
    private static readonly TimeSpan SeenRecently = TimeSpan.FromSeconds(15);

    /// <summary>All findings, in the order of the services; none when all is well.</summary>
    public static IReadOnlyList<string> Of(ServiceList list) =>
        [.. list.Services.SelectMany(service => service.Instances.SelectMany(instance => Of(list, service, instance))), .. OfBudget(list)];

    private static IEnumerable<string> Of(ServiceList list, Service service, ServiceInstance instance)
    {
        var who = $"{service.Name} ({instance.Host})";
        var pool = instance.Pool;
        if (list.Now - instance.SeenAt is { } unseen && unseen > SeenRecently)
        {
            yield return Text(
                $"{who} was last seen {unseen.TotalSeconds:0} s ago: it has stopped responding, or cannot reach the database. After 30 s it counts as dead."
            );
        }

        if (pool.Waiting > 0)
        {
            yield return Text(
                $"{who}: {Number(pool.Waiting, "caller waits", "callers wait")} for a connection, {pool.InUse} of {pool.Max} are in use."
            );
        }
        else if (pool.Max > 0 && pool.InUse >= pool.Max * NearlyFull)
        {
            yield return Text($"{who}: the pool is nearly full, {pool.InUse} of {pool.Max} connections are in use.");
        }

        foreach (var holder in instance.ConnectionHolders.Where(h => h.IdleTooLong))
        {
            yield return Text(
                $"{who}: {HolderText.Name(holder)} has held a connection for {holder.HeldSeconds:0.0} s, and nothing has run on it for {holder.IdleSeconds ?? 0:0.0} s. Give it back before computing or calling others."
            );
        }
    }

    private static IEnumerable<string> OfBudget(ServiceList list)
    {
        if (list.Connections is not { } budget)
        {
            yield break;
        }

        var claimed = budget.Pools + budget.Direct;
        if (claimed > budget.Available)
        {
            yield return Text(
                $"All pools together may open {claimed} connections, more than the {budget.Available} that the server takes: some will be refused. Lower Database:MaxPoolSize or the number of instances, or raise max_connections."
            );
        }
        else if (budget.NearlySpent)
        {
            yield return Text(
                $"All pools together may open {claimed} of the {budget.Available} connections that the server takes: one more instance may be one too many."
            );
        }
    }

    private static string Number(int count, string one, string many) => Text($"{count} {(count == 1 ? one : many)}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
