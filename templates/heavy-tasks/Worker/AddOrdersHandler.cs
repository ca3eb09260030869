using HeavyTasksApp.Contracts;
using HeavyTasksApp.Data;
using Platform.HeavyTasks;

namespace HeavyTasksApp.Worker;

/// <summary>
/// Adds the orders in batches. Each batch and the place to go on from commit together: after a crash, the next attempt adds what is
/// missing and nothing twice.
/// </summary>
public sealed class AddOrdersHandler(StarterDbContext db) : HeavyTaskHandler<AddOrders>
{
    private const int BatchSize = 500;

    public override async Task RunAsync(HeavyTaskContext<AddOrders> context)
    {
        var count = context.Parameters.Count;
        var added = context.GetCheckpoint<AddedOrders>()?.Added ?? 0;
        while (added < count)
        {
            context.CancellationToken.ThrowIfCancellationRequested();
            var batch = Math.Min(BatchSize, count - added);
            db.Orders.AddRange(Enumerable.Range(added, batch).Select(number => new Order { Amount = 100 + (number % 900) }));
            added += batch;
            context.ReportProgress(added, count, "orders");
            await context.CheckpointAsync(new AddedOrders(added));
        }

        context.SetResult(new AddedOrders(added));
    }
}

/// <summary>How many orders are in the database: where the next attempt goes on, and the result at the end.</summary>
public sealed record AddedOrders(int Added);
