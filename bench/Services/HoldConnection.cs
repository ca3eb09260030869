using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

/// <summary>How long one task takes.</summary>
internal sealed class WorkOptions
{
    /// <summary>How long it uses a connection. Default 1 s.</summary>
    public TimeSpan Database { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long it works without a connection. Default 0.</summary>
    public TimeSpan Compute { get; set; }
}

/// <summary>
/// The heavy work of this measurement: it reads users, keeps its connection busy, and writes one row. It handles the kind
/// <c>users.statistics</c>, which needs no parameters, so that the real API can be used unchanged.
/// </summary>
internal sealed class HoldConnection(PlatformDbContext db, IOptions<WorkOptions> options, TimeProvider time)
    : HeavyTaskHandler<UserStatisticsParameters>
{
    private const int Users = 200;

    public override async Task RunAsync(HeavyTaskContext<UserStatisticsParameters> context)
    {
        var users = await db.Users.AsNoTracking().OrderBy(u => u.Id).Take(Users).ToListAsync(context.CancellationToken);
        await Task.Delay(options.Value.Compute, time, context.CancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_sleep({options.Value.Database.TotalSeconds})", context.CancellationToken);
        await context.CheckpointAsync(
            new Written(users.Count),
            (written, cancellationToken) =>
                written.Database.ExecuteSqlAsync(
                    $"INSERT INTO bench_writes (id, users) VALUES ({context.TaskId}, {users.Count})",
                    cancellationToken
                )
        );
    }

    private sealed record Written(int Users);
}
