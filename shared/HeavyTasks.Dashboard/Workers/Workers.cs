using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>The living processes, and what each runs.</summary>
internal sealed record Workers(IReadOnlyList<InstanceFigure> Instances, IReadOnlyList<Run> Runs, DateTime Now);

/// <summary>A task that runs.</summary>
internal sealed record Run(Guid Id, string Kind, Guid? Owner, int Attempt, DateTime StartedAt, long ProgressDone, long? ProgressTotal);

/// <summary>Reads the processes and the tasks that run.</summary>
internal sealed record WorkersQuery : ILiveQuery<Workers>
{
    /// <summary>The most running tasks that are shown.</summary>
    public const int MaxRuns = 500;

    public async Task<Workers> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var instances = await InstanceFigure.ReadAsync(db, cancellationToken);
        var runs = await db
            .HeavyTasks.Where(t => t.Status == HeavyTaskStatus.Running)
            .OrderByDescending(t => t.Id)
            .Take(MaxRuns)
            .Select(t => new Run(t.Id, t.Kind, t.Owner, t.Attempt, t.StartedAt!.Value, t.ProgressDone, t.ProgressTotal))
            .ToListAsync(cancellationToken);
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
        return new Workers(instances, runs, now);
    }
}
