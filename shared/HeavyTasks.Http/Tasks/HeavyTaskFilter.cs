using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>Which tasks somebody looks for.</summary>
/// <param name="TenantId">The tenant; empty for all tasks.</param>
/// <param name="Status">The status; null for any.</param>
/// <param name="Kind">The kind; null for any.</param>
/// <param name="Tag">A tag that they have; null for any.</param>
/// <param name="CreatedFrom">They were submitted then or later (UTC, to the millisecond); null for any time.</param>
/// <param name="CreatedBefore">They were submitted before (UTC, to the millisecond); null for any time.</param>
internal sealed record HeavyTaskFilter(
    string TenantId,
    HeavyTaskStatus? Status = null,
    string? Kind = null,
    string? Tag = null,
    DateTime? CreatedFrom = null,
    DateTime? CreatedBefore = null
)
{
    /// <summary>
    /// The newest tasks that match. Ids are version 7 UUIDs, which begin with the time of submission, so the id alone is the keyset.
    /// </summary>
    /// <param name="db">The database.</param>
    /// <param name="before">Their ids are lower; null for any.</param>
    /// <param name="count">The most tasks.</param>
    public IQueryable<HeavyTaskRow> Newest(DbContext db, Guid? before, int count) =>
        // The ids first, which an index gives in order. Asked for whole rows, MariaDB rather merges two indexes and sorts what it found, which
        // takes a second among a million tasks.
        NewestIds(db, Bound(before), count)
            .Join(
                db.HeavyTasks,
                id => id,
                t => t.Id,
                (_, t) =>
                    new HeavyTaskRow
                    {
                        Id = t.Id,
                        Kind = t.Kind,
                        TenantId = t.TenantId,
                        Status = t.Status,
                        Attempt = t.Attempt,
                        CreatedAt = t.CreatedAt,
                        StartedAt = t.StartedAt,
                        FinishedAt = t.FinishedAt,
                        ProgressDone = t.ProgressDone,
                        ProgressTotal = t.ProgressTotal,
                        ProgressText = t.ProgressText,
                        Error = t.Error,
                    }
            )
            .OrderByDescending(t => t.Id);

    // Of two upper bounds the lower one.
    private Guid? Bound(Guid? before)
    {
        Guid? time = CreatedBefore is { } moment ? HeavyTask.FirstIdAt(moment) : null;
        return before is null || (time is not null && Comparer<Guid>.Default.Compare(time.Value, before.Value) < 0) ? time : before;
    }

    private IQueryable<Guid> NewestIds(DbContext db, Guid? before, int count)
    {
        if (Tag is not null)
        {
            return Tagged(db, before).OrderByDescending(id => id).Take(count);
        }

        // For one kind or one tenant in any status: takes the newest of each status from the index on kind (or tenant), status and id, then
        // the newest of these few. An index on kind and id would serve as well, but every new task would have to be written to it.
        var newest =
            Status is null && (Kind is not null || TenantId != Tenants.None)
                ? Enum.GetValues<HeavyTaskStatus>()
                    .Select(status => (this with { Status = status }).NewestIds(db, before, count))
                    .Aggregate(Queryable.Concat)
                : Matching(db, before).Select(t => t.Id);
        return newest.OrderByDescending(id => id).Take(count);
    }

    private IQueryable<Guid> Tagged(DbContext db, Guid? before)
    {
        var mine = HeavyTaskTag.TenantTagOf(TenantId, Tag!);
        var tags = mine is null ? db.HeavyTaskTags.Where(t => t.Tag == Tag) : db.HeavyTaskTags.Where(t => t.TenantTag == mine);
        tags = before is null ? tags : tags.Where(t => t.TaskId < before);
        if (CreatedFrom is { } from)
        {
            var first = HeavyTask.FirstIdAt(from);
            tags = tags.Where(t => t.TaskId >= first);
        }

        if (Status is not null || Kind is not null)
        {
            var tasks = OfStatusAndKind(db.HeavyTasks);
            tags = tags.Where(tag => tasks.Any(t => t.Id == tag.TaskId));
        }

        return tags.Select(t => t.TaskId);
    }

    private IQueryable<HeavyTask> Matching(DbContext db, Guid? before)
    {
        var tasks = OfStatusAndKind(db.HeavyTasks.Of(TenantId));
        if (CreatedFrom is { } from)
        {
            var first = HeavyTask.FirstIdAt(from);
            tasks = tasks.Where(t => t.Id >= first);
        }

        return before is null ? tasks : tasks.Where(t => t.Id < before);
    }

    private IQueryable<HeavyTask> OfStatusAndKind(IQueryable<HeavyTask> tasks)
    {
        tasks = Status is null ? tasks : tasks.Where(t => t.Status == Status);
        return Kind is null ? tasks : tasks.Where(t => t.Kind == Kind);
    }
}

/// <summary>The columns that a list shows; the parameters and checkpoints are left out, because they can be large.</summary>
internal sealed record HeavyTaskRow
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    public string TenantId { get; init; } = "";

    public HeavyTaskStatus Status { get; init; }

    public int Attempt { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? StartedAt { get; init; }

    public DateTime? FinishedAt { get; init; }

    public long ProgressDone { get; init; }

    public long? ProgressTotal { get; init; }

    public string? ProgressText { get; init; }

    public string? Error { get; init; }
}
