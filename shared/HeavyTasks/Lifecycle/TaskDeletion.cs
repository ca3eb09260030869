using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>Deletes finished tasks with everything that belongs to them.</summary>
internal static class TaskDeletion
{
    extension(DbContext db)
    {
        /// <summary>
        /// Deletes those of the tasks that are still as <paramref name="which"/> says: one may have been retried meanwhile, and then it needs
        /// everything that belongs to it. Result files may be long, so they only expire here. The caller begins the transaction and commits.
        /// </summary>
        /// <param name="which">Finished tasks, perhaps only old ones, or one tenant's.</param>
        /// <param name="ids">The tasks.</param>
        /// <param name="cancellationToken">Cancels the deletion.</param>
        /// <returns>How many tasks were deleted.</returns>
        public async Task<int> DeleteTasksAsync(IQueryable<HeavyTask> which, Guid[] ids, CancellationToken cancellationToken)
        {
            var deleted = await which
                .Where(t => ids.Contains(t.Id) && HeavyTaskStatuses.Final.Contains(t.Status))
                .ExecuteDeleteAsync(cancellationToken);
            var tasks = db.HeavyTasks;
            await db
                .HeavyTaskAttempts.Where(a => ids.Contains(a.TaskId) && !tasks.Any(t => t.Id == a.TaskId))
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .HeavyTaskLogLines.Where(l => ids.Contains(l.TaskId) && !tasks.Any(t => t.Id == l.TaskId))
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .HeavyTaskTags.Where(t => ids.Contains(t.TaskId) && !tasks.Any(task => task.Id == t.TaskId))
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .HeavyTaskFiles.Where(n => ids.Contains(n.TaskId) && !tasks.Any(t => t.Id == n.TaskId))
                .ExecuteDeleteAsync(cancellationToken);
            await db
                .Files.Where(f => ids.Contains(f.TaskId!.Value) && !tasks.Any(t => t.Id == f.TaskId))
                .ExecuteUpdateAsync(set => set.SetProperty(f => f.ExpiresAt, _ => DatabaseClock.UtcNow()), cancellationToken);
            return deleted;
        }
    }
}
