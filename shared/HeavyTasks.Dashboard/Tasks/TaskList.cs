using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>One page of tasks, newest first.</summary>
/// <param name="Rows">The tasks.</param>
/// <param name="HasMore">Whether there are older ones.</param>
/// <param name="Now">The time on the database's clock (UTC).</param>
internal sealed record TaskList(IReadOnlyList<HeavyTaskRow> Rows, bool HasMore, DateTime Now);

/// <summary>Which tasks somebody looks for.</summary>
/// <param name="Tasks">What an index finds.</param>
/// <param name="ErrorText">A part of the error; null for any.</param>
internal sealed record TaskFilter(HeavyTaskFilter Tasks, string? ErrorText)
{
    // A text is looked for in the newest tasks only: no index finds it.
    private const int MaxSearched = 10_000;

    /// <summary>The newest tasks that match.</summary>
    public IQueryable<HeavyTaskRow> Newest(DbContext db, Guid? before, int count) =>
        string.IsNullOrEmpty(ErrorText)
            ? Tasks.Newest(db, before, count)
            : Tasks.Newest(db, before, MaxSearched).Where(t => t.Error!.Contains(ErrorText)).OrderByDescending(t => t.Id).Take(count);
}

/// <summary>Reads one page of the tasks that match.</summary>
/// <param name="Filter">Which tasks.</param>
/// <param name="Before">The page begins after this task; null for the newest.</param>
internal sealed record TaskListQuery(TaskFilter Filter, Guid? Before) : ILiveQuery<TaskList>
{
    /// <summary>The number of tasks on a page.</summary>
    public const int Size = 50;

    public async Task<TaskList> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var rows = await Filter.Newest(db, Before, Size + 1).ToListAsync(cancellationToken);
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
        return new TaskList([.. rows.Take(Size)], rows.Count > Size, now);
    }
}
