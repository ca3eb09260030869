using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>Opens the result file of a task: a new one, or an earlier attempt's at the length of its last checkpoint.</summary>
internal sealed class ResultFiles(IServiceScopeFactory scopes, TimeProvider time)
{
    /// <param name="fence">The attempt.</param>
    /// <param name="tenantId">The tenant of the task; the file belongs to it, too.</param>
    /// <param name="name">The file name for downloads.</param>
    /// <param name="contentType">The media type.</param>
    /// <param name="anew">Whether to discard what earlier attempts wrote up to their last checkpoint.</param>
    /// <param name="cancellationToken">Ends the statements.</param>
    public async Task<AttemptResultFile> OpenAsync(
        HeavyTaskFence fence,
        string tenantId,
        string name,
        string contentType,
        bool anew,
        CancellationToken cancellationToken
    )
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
                        TenantId = tenantId,
                        TaskId = fence.TaskId,
                        CreatedAt = time.GetUtcNow().UtcDateTime,
                    };
                    db.Files.Add(file);
                    await db.SaveChangesAsync(cancellationToken);
                    return;
                }

                if (anew && file.Length > 0)
                {
                    file.Length = 0;
                    await db
                        .Files.Where(f => f.Id == file.Id)
                        .ExecuteUpdateAsync(set => set.SetProperty(f => f.Length, 0), cancellationToken);
                }

                // Discard what an earlier attempt wrote after its last checkpoint.
                var tailNumber = (int)(file.Length / StoredFile.ChunkLength);
                var tailLength = (int)(file.Length % StoredFile.ChunkLength);
                var firstToDelete = tailLength > 0 ? tailNumber + 1 : tailNumber;
                await db.FileChunks.Where(c => c.FileId == file.Id && c.Number >= firstToDelete).ExecuteDeleteAsync(cancellationToken);
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

        var result = new AttemptResultFile(this, fence, file!, tail);
        if (file!.Length > 0)
        {
            await result.HashExistingAsync(ReadChunkAsync, cancellationToken);
        }

        return result;
    }

    /// <summary>
    /// Runs one short transaction on a connection of its own; it changes nothing unless the task still belongs to the attempt. After a
    /// deadlock <paramref name="write"/> runs again, on another context.
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
        var held = await db.LockOwned(fence).AsNoTracking().Select(t => t.Id).ToListAsync(cancellationToken);
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

/// <summary>
/// The result file as one attempt appends to it. Full chunks are written at once, each in its own fenced transaction; the rest is written
/// with the next checkpoint. A chunk is only ever extended, so the bytes up to the last checkpoint do not change.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The text writer holds nothing but characters.")]
internal sealed class AttemptResultFile : ResultFile
{
    private readonly ResultFiles files;
    private readonly HeavyTaskFence fence;
    private readonly StoredFile file;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] buffer = new byte[StoredFile.ChunkLength];
    private readonly ResultText text;
    private int buffered;
    private int chunkNumber;

    // How much of the current chunk is in the database. A transaction that is rolled back does not change it.
    private int stored;

    public AttemptResultFile(ResultFiles files, HeavyTaskFence fence, StoredFile file, byte[] tail)
    {
        (this.files, this.fence, this.file) = (files, fence, file);
        chunkNumber = (int)(file.Length / StoredFile.ChunkLength);
        tail.CopyTo(buffer, 0);
        buffered = stored = tail.Length;
        text = new ResultText(this);
    }

    public override long Length => ((long)chunkNumber * StoredFile.ChunkLength) + buffered;

    public override TextWriter Text => text;

    /// <summary>Whether a checkpoint's <c>write</c> runs, which must not write to the file.</summary>
    public bool IsInCheckpoint { get; set; }

    // The state of the hash cannot be stored, so the content of a resumed file is read once more.
    public async Task HashExistingAsync(Func<Guid, int, CancellationToken, Task<byte[]>> readChunk, CancellationToken cancellationToken)
    {
        for (var number = 0; number < chunkNumber; number++)
        {
            hash.AppendData(await readChunk(file.Id, number, cancellationToken));
        }

        hash.AppendData(buffer, 0, buffered);
    }

    public override async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        RefuseInCheckpoint();
        await text.DrainAsync(cancellationToken);
        await AppendAsync(bytes, cancellationToken);
    }

    /// <summary>Appends what <see cref="Text"/> has not handed over yet. A checkpoint calls it before its transaction begins.</summary>
    public Task DrainTextAsync(CancellationToken cancellationToken) => text.DrainAsync(cancellationToken);

    /// <summary>Appends bytes after those that were appended before.</summary>
    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        hash.AppendData(bytes.Span);
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, buffer.Length - buffered);
            bytes.Span[..count].CopyTo(buffer.AsSpan(buffered));
            buffered += count;
            bytes = bytes[count..];
            if (buffered == buffer.Length)
            {
                await files.FencedAsync(fence, db => WriteChunkAsync(db, buffer, cancellationToken), cancellationToken);
                chunkNumber++;
                buffered = stored = 0;
            }
        }
    }

    /// <summary>
    /// Refuses writes inside a checkpoint. Its transaction has locked the task, and a full chunk, which is written in a transaction of its
    /// own, would wait for that lock.
    /// </summary>
    public void RefuseInCheckpoint()
    {
        if (IsInCheckpoint)
        {
            throw new InvalidOperationException(
                "Write to the result file before CheckpointAsync, not inside its write: the checkpoint makes permanent what was written before it."
            );
        }
    }

    /// <summary>Writes the bytes since the last checkpoint and the length so far, in the caller's fenced transaction.</summary>
    public async Task WriteTailAsync(DbContext db, CancellationToken cancellationToken)
    {
        if (buffered > stored)
        {
            await WriteChunkAsync(db, buffer[..buffered], cancellationToken);
        }

        var length = Length;
        await db.Files.Where(f => f.Id == file.Id).ExecuteUpdateAsync(set => set.SetProperty(f => f.Length, length), cancellationToken);
    }

    /// <summary>Records that the transaction of <see cref="WriteTailAsync"/> has committed.</summary>
    public void TailCommitted() => stored = buffered;

    /// <summary>Closes the file on the context; the completion saves the change.</summary>
    public async Task<Guid> CloseAsync(DbContext db, DateTime now, CancellationToken cancellationToken)
    {
        await text.DrainAsync(cancellationToken);
        if (buffered > stored)
        {
            await files.FencedAsync(fence, other => WriteChunkAsync(other, buffer[..buffered], cancellationToken), cancellationToken);
            stored = buffered;
        }

        var closed = db.Files.Attach(new StoredFile { Id = file.Id }).Entity;
        closed.Length = Length;
        closed.Sha256 = hash.GetCurrentHash();
        closed.ClosedAt = now;
        return file.Id;
    }

    private async Task WriteChunkAsync(DbContext db, byte[] data, CancellationToken cancellationToken)
    {
        if (stored > 0)
        {
            await db
                .FileChunks.Where(c => c.FileId == file.Id && c.Number == chunkNumber)
                .ExecuteUpdateAsync(set => set.SetProperty(c => c.Data, data), cancellationToken);
            return;
        }

        var chunk = db.FileChunks.Add(
            new StoredFileChunk
            {
                FileId = file.Id,
                Number = chunkNumber,
                Data = data,
            }
        );
        await db.SaveChangesAsync(cancellationToken);
        chunk.State = EntityState.Detached;
    }
}
