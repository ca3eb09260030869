using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>
/// Deletes expired files (<see cref="StoredFile.ExpiresAt"/>), step by step: each step is a short transaction that has locked the file's row.
/// So a file of any length can be deleted, by any number of workers, and after a failure the next step goes on where the last one ended.
/// </summary>
internal sealed class FileDeletion(IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>The most chunks in a statement: 16 MiB.</summary>
    public const int ChunksPerStep = 64;

    /// <summary>Does the next step of a deletion.</summary>
    public Task<FileDeletionStep> StepAsync(Guid fileId, CancellationToken cancellationToken) =>
        Deadlocks.RetryAsync(
            scopes,
            services => StepAsync(services.GetRequiredService<EngineContext>().Db, fileId, cancellationToken),
            time,
            cancellationToken
        );

    /// <summary>Does the next step on this context.</summary>
    public static async Task<FileDeletionStep> StepAsync(DbContext db, Guid fileId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var locked = await db.LockExpired(fileId).AsNoTracking().Select(f => new { f.ClosedAt }).ToListAsync(cancellationToken);
        if (locked.Count == 0)
        {
            return FileDeletionStep.Left;
        }

        // Nobody can add a task that needs the file while its row is locked; whoever did before has committed. So this look, which is a
        // statement of its own, sees them all.
        var files = db.Files.Where(f => f.Id == fileId);
        if (locked[0].ClosedAt is not null && await db.IsNeededAsync(fileId, cancellationToken))
        {
            await files.ExecuteUpdateAsync(
                set => set.SetProperty(f => f.ExpiresAt, (DateTime?)null).SetProperty(f => f.TaskId, (Guid?)null),
                cancellationToken
            );
            await transaction.CommitAsync(cancellationToken);
            return FileDeletionStep.Left;
        }

        var chunks = db.FileChunks.Where(c => c.FileId == fileId);
        var numbers = await chunks.OrderBy(c => c.Number).Select(c => c.Number).Take(ChunksPerStep).ToListAsync(cancellationToken);
        if (numbers.Count > 0)
        {
            var last = numbers[^1];
            await chunks.Where(c => c.Number <= last).ExecuteDeleteAsync(cancellationToken);
        }

        var more = numbers.Count == ChunksPerStep;
        if (more)
        {
            // From here on nobody can read the file.
            await files
                .Where(f => f.ClosedAt != null)
                .ExecuteUpdateAsync(set => set.SetProperty(f => f.ClosedAt, (DateTime?)null), cancellationToken);
        }
        else
        {
            await db.HeavyTaskFiles.Where(needed => needed.FileId == fileId).ExecuteDeleteAsync(cancellationToken);
            await files.ExecuteDeleteAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return more ? FileDeletionStep.More : FileDeletionStep.Deleted;
    }
}

/// <summary>What a step of a deletion did.</summary>
internal enum FileDeletionStep
{
    /// <summary>Nothing: the file is gone, is needed, or is locked by another.</summary>
    Left,

    /// <summary>Some chunks were deleted, and there may be more.</summary>
    More,

    /// <summary>The file is gone.</summary>
    Deleted,
}
