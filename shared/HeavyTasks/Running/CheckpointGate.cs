using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.HeavyTasks;

/// <summary>
/// Refuses <c>SaveChanges</c> on a handler's context outside a checkpoint: such a write would not be fenced, so a worker that lost its task
/// could still change data. Other contexts are not affected.
/// </summary>
internal sealed class CheckpointGate : SaveChangesInterceptor
{
    private static readonly ConditionalWeakTable<DbContext, CheckpointGate> Closed = [];
    private static readonly CheckpointGate Marker = new();

    public static void Close(DbContext db) => Closed.AddOrUpdate(db, Marker);

    public static void Open(DbContext db) => Closed.Remove(db);

    public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
    {
        Check(eventData.Context);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
        DbContextEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default
    )
    {
        Check(eventData.Context);
        return ValueTask.FromResult(result);
    }

    private static void Check(DbContext? db)
    {
        if (db is not null && Closed.TryGetValue(db, out _))
        {
            throw new InvalidOperationException(
                "A handler saves in CheckpointAsync, or leaves its changes tracked: they are saved when the task completes. "
                    + "SaveChanges outside a checkpoint is refused, because a worker that lost its task could still write."
            );
        }
    }
}
