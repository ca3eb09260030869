using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>Opens the result file of a task: a new one, or the one of an earlier attempt at the length of its last checkpoint.</summary>
internal sealed class ResultFiles(IServiceScopeFactory scopes, TimeProvider time)
{
    public async Task<ResultFile> OpenAsync(HeavyTaskFence fence, string name, string contentType, CancellationToken cancellationToken)
    {
        StoredFile? file = null;
        byte[] tail = [];
        await FencedAsync(
            fence,
            async db =>
            {
                file = await db.Files.AsNoTracking().SingleOrDefaultAsync(f => f.TaskId == fence.TaskId, cancellationToken);
                if (file is null)
                {
                    file = new StoredFile
                    {
                        Id = Guid.CreateVersion7(),
                        Name = name,
                        ContentType = contentType,
                        TaskId = fence.TaskId,
                        CreatedAt = time.GetUtcNow().UtcDateTime,
                    };
                    db.Files.Add(file);
                    await db.SaveChangesAsync(cancellationToken);
                    return;
                }

                // What an earlier attempt wrote after its last checkpoint did not happen.
                var tailNumber = (int)(file.Length / StoredFile.ChunkLength);
                var tailLength = (int)(file.Length % StoredFile.ChunkLength);
                await db.FileChunks.Where(c => c.FileId == file.Id && c.Number > tailNumber).ExecuteDeleteAsync(cancellationToken);
                if (tailLength > 0)
                {
                    var chunk = await db
                        .FileChunks.Where(c => c.FileId == file.Id && c.Number == tailNumber)
                        .Select(c => c.Data)
                        .SingleAsync(cancellationToken);
                    tail = chunk[..tailLength];
                }
            },
            cancellationToken
        );

        var result = new ResultFile(this, fence, file!, tail);
        if (file!.Length > 0)
        {
            await result.HashExistingAsync(ReadChunkAsync, cancellationToken);
        }

        return result;
    }

    /// <summary>
    /// One short transaction on a connection of its own that changes nothing unless the task still belongs to the attempt. After a deadlock
    /// <paramref name="write"/> runs again, on another context.
    /// </summary>
    internal Task FencedAsync(HeavyTaskFence fence, Func<DbContext, Task> write, CancellationToken cancellationToken) =>
        Deadlocks.RetryAsync(
            scopes,
            scope => FencedAsync(scope.GetRequiredService<EngineContext>().Db, fence, write, cancellationToken),
            time,
            cancellationToken
        );

    private static async Task<bool> FencedAsync(
        DbContext db,
        HeavyTaskFence fence,
        Func<DbContext, Task> write,
        CancellationToken cancellationToken
    )
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var held = await db
            .HeavyTasks.FromSql(
                $"SELECT * FROM heavy_tasks WHERE id = {fence.TaskId} AND status = {nameof(HeavyTaskStatus.Running)} AND attempt = {fence.Attempt} AND owner = {fence.Owner} FOR UPDATE"
            )
            .AsNoTracking()
            .Select(t => t.Id)
            .ToListAsync(cancellationToken);
        if (held.Count == 0)
        {
            throw new HeavyTaskFenceException(fence);
        }

        await write(db);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task<byte[]> ReadChunkAsync(Guid fileId, int number, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        return await db.FileChunks.Where(c => c.FileId == fileId && c.Number == number).Select(c => c.Data).SingleAsync(cancellationToken);
    }
}
