using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Everything about one task.</summary>
/// <param name="Task">Its row; null when there is no such task, or when it is another tenant's.</param>
/// <param name="Attempts">Its attempts, the latest first; at most <see cref="TaskDetailsQuery.MaxAttempts"/>.</param>
/// <param name="ResultFile">Its result file, when it has one that can be downloaded.</param>
/// <param name="Files">The uploads that it needs.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Log">The last lines that its handler logged, oldest first.</param>
/// <param name="SubmittedBy">The name of the key by which it was submitted; null when that is not known.</param>
/// <param name="Now">The time on the database's clock (UTC).</param>
internal sealed record TaskDetails(
    HeavyTask? Task,
    IReadOnlyList<HeavyTaskAttempt> Attempts,
    StoredFile? ResultFile,
    IReadOnlyList<StoredFile> Files,
    IReadOnlyList<string> Tags,
    IReadOnlyList<HeavyTaskLogLine> Log,
    string? SubmittedBy,
    DateTime Now
);

/// <summary>Reads one task.</summary>
/// <param name="TenantId">The tenant of the client; empty for one that reaches all.</param>
/// <param name="Id">The id of the task.</param>
internal sealed record TaskDetailsQuery(string TenantId, Guid Id) : ILiveQuery<TaskDetails>
{
    /// <summary>The most attempts that are shown.</summary>
    public const int MaxAttempts = 200;

    /// <summary>The most lines of the log that are shown.</summary>
    public const int MaxLines = 200;

    private const int MaxFiles = 20;

    public async Task<TaskDetails> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
        var task = await db.HeavyTasks.AsNoTracking().Of(TenantId).SingleOrDefaultAsync(t => t.Id == Id, cancellationToken);
        if (task is null)
        {
            return new TaskDetails(null, [], null, [], [], [], null, now);
        }

        var attempts = await db
            .HeavyTaskAttempts.AsNoTracking()
            .Where(a => a.TaskId == Id)
            .OrderByDescending(a => a.Attempt)
            .Take(MaxAttempts)
            .ToListAsync(cancellationToken);
        var result = task is { Status: HeavyTaskStatus.Succeeded, ResultFileId: { } fileId }
            ? await db.Files.AsNoTracking().SingleOrDefaultAsync(f => f.Id == fileId && f.ClosedAt != null, cancellationToken)
            : null;
        var needed = db.HeavyTaskFiles.Where(n => n.TaskId == Id).Select(n => n.FileId);
        var files = await db.Files.AsNoTracking().Where(f => needed.Contains(f.Id)).Take(MaxFiles).ToListAsync(cancellationToken);
        var tags = await db.HeavyTaskTags.Where(t => t.TaskId == Id).OrderBy(t => t.Tag).Select(t => t.Tag).ToListAsync(cancellationToken);
        var lines = await GetHeavyTaskLog.Last(db, Id, attempt: null, MaxLines + 1).ToListAsync(cancellationToken);
        lines.Reverse();
        var submittedBy = task.SubmittedBy is null
            ? null
            : await db.ApiKeys.Where(k => k.Id == task.SubmittedBy).Select(k => k.Name).SingleOrDefaultAsync(cancellationToken);
        return new TaskDetails(task, attempts, result, files, tags, lines, submittedBy, now);
    }
}
