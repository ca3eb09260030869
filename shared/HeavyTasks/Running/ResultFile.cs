using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// The stream that a handler appends its result to. Full chunks are written at once, each in its own fenced transaction; the rest
/// goes out with the next checkpoint. A chunk is only ever extended, so the bytes up to the last checkpoint stay what they were.
/// </summary>
internal sealed class ResultFile(ResultFiles files, HeavyTaskFence fence, StoredFile file, byte[] tail) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] buffer = Fill(tail);
    private int buffered = tail.Length;
    private int chunkNumber = (int)(file.Length / StoredFile.ChunkLength);

    public override bool CanRead => false;

    // Disposing a writer that wraps this stream does not end the file: the context closes it when the task succeeds.
    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => ((long)chunkNumber * StoredFile.ChunkLength) + buffered;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException("A result file is only appended to.");
    }

    // The state of a hash cannot be stored, so a resumed file is read once more.
    public async Task HashExistingAsync(Func<Guid, int, CancellationToken, Task<byte[]>> readChunk, CancellationToken cancellationToken)
    {
        for (var number = 0; number < chunkNumber; number++)
        {
            hash.AppendData(await readChunk(file.Id, number, cancellationToken));
        }

        hash.AppendData(buffer, 0, buffered);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        hash.AppendData(source.Span);
        while (!source.IsEmpty)
        {
            var count = Math.Min(source.Length, buffer.Length - buffered);
            source.Span[..count].CopyTo(buffer.AsSpan(buffered));
            buffered += count;
            source = source[count..];
            if (buffered == buffer.Length)
            {
                await files.FencedAsync(fence, db => WriteChunkAsync(db, buffer, cancellationToken), cancellationToken);
                chunkNumber++;
                buffered = 0;
            }
        }
    }

    public override Task WriteAsync(byte[] source, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(source.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Writes what is buffered and the length so far, in the caller's fenced transaction.</summary>
    public async Task WriteTailAsync(DbContext db, CancellationToken cancellationToken)
    {
        if (buffered > 0)
        {
            await WriteChunkAsync(db, buffer[..buffered], cancellationToken);
        }

        var length = Length;
        await db.Files.Where(f => f.Id == file.Id).ExecuteUpdateAsync(set => set.SetProperty(f => f.Length, length), cancellationToken);
    }

    /// <summary>Tracks the end of the file on the context, to be saved with the completion.</summary>
    public async Task<Guid> CloseAsync(DbContext db, DateTime now, CancellationToken cancellationToken)
    {
        if (buffered > 0)
        {
            await files.FencedAsync(fence, other => WriteChunkAsync(other, buffer[..buffered], cancellationToken), cancellationToken);
        }

        var closed = db.Files.Attach(new StoredFile { Id = file.Id }).Entity;
        closed.Length = Length;
        closed.Sha256 = hash.GetCurrentHash();
        closed.ClosedAt = now;
        return file.Id;
    }

    public override void Flush() { }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A result file is written asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A result file is only appended to.");

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("A result file is only appended to.");

    public override void SetLength(long value) => throw new NotSupportedException("A result file is only appended to.");

    private async Task WriteChunkAsync(DbContext db, byte[] data, CancellationToken cancellationToken)
    {
        var updated = await db
            .FileChunks.Where(c => c.FileId == file.Id && c.Number == chunkNumber)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.Data, data), cancellationToken);
        if (updated == 0)
        {
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

    private static byte[] Fill(byte[] tail)
    {
        var chunk = new byte[StoredFile.ChunkLength];
        tail.CopyTo(chunk, 0);
        return chunk;
    }
}
