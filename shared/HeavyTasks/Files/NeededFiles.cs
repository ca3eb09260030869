using System.Linq.Expressions;
using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// Finds the files that tasks need. A task needs each stored file whose id stands anywhere in its parameters: in a member of any name, in a
/// list, in a text. So no kind has to declare anything, and kinds that only clients know are covered, too.
/// </summary>
internal static partial class NeededFiles
{
    private const int IdLength = 36;
    private const int IdsPerQuery = 1_000;

    extension(DbContext db)
    {
        /// <summary>
        /// Finds which of the ids in the parameters of these tasks are files, and whose. Asks nothing when there are no such ids.
        /// </summary>
        public async Task<Dictionary<Guid, string>> FindNeededFilesAsync(IEnumerable<HeavyTask> tasks, CancellationToken cancellationToken)
        {
            var files = new Dictionary<Guid, string>();
            foreach (var ids in tasks.SelectMany(task => IdsIn(task.Parameters)).Distinct().Chunk(IdsPerQuery))
            {
                var found = db.Files.Where(f => ids.Contains(f.Id) && f.ClosedAt != null).Select(f => new { f.Id, f.TenantId });
                foreach (var file in await found.ToListAsync(cancellationToken))
                {
                    files[file.Id] = file.TenantId;
                }
            }

            return files;
        }

        /// <summary>Adds the rows that keep those of the files that the task needs and may read.</summary>
        public void KeepFiles(HeavyTask task, Dictionary<Guid, string> files)
        {
            if (files.Count > 0)
            {
                db.AddRange(
                    IdsIn(task.Parameters)
                        .Distinct()
                        .Where(id => files.TryGetValue(id, out var owner) && Tenants.MayReach(task.TenantId, owner))
                        .Select(id => new HeavyTaskFile { FileId = id, TaskId = task.Id })
                );
            }
        }

        /// <summary>
        /// Whether a task needs the file that has not succeeded. One that failed or was cancelled can be retried for as long as it exists.
        /// </summary>
        public async Task<bool> IsNeededAsync(Guid fileId, CancellationToken cancellationToken) =>
            !await db.Files.Where(f => f.Id == fileId).AnyAsync(NotNeeded(db), cancellationToken);
    }

    /// <summary>The opposite of <see cref="IsNeededAsync"/>, for use in queries.</summary>
    public static Expression<Func<StoredFile, bool>> NotNeeded(DbContext db)
    {
        var (tasks, needed) = (db.HeavyTasks, db.HeavyTaskFiles);
        return f => !needed.Any(n => n.FileId == f.Id && tasks.Any(t => t.Id == n.TaskId && t.Status != HeavyTaskStatus.Succeeded));
    }

    /// <summary>The ids in a text that could be a file's: those of version 7.</summary>
    internal static IEnumerable<Guid> IdsIn(string text) =>
        text.Length < IdLength ? [] : Id().Matches(text).Select(match => Guid.Parse(match.ValueSpan));

    [GeneratedRegex(
        "(?<![0-9a-fA-F])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![0-9a-fA-F])",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Id();
}
