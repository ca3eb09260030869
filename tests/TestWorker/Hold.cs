using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.TestWorker;

/// <summary>Keeps a connection of the pool open while it does nothing, as no handler should.</summary>
[HeavyTaskKind("test.hold")]
public sealed record HoldParameters(int Seconds);

public sealed class Hold(PlatformDbContext db, TimeProvider time) : HeavyTaskHandler<HoldParameters>
{
    public override async Task RunAsync(HeavyTaskContext<HoldParameters> context)
    {
        await db.Database.OpenConnectionAsync(context.CancellationToken);
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(context.Parameters.Seconds), time, context.CancellationToken);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }
}
