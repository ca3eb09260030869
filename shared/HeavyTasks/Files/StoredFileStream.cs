using System.Buffers;

namespace Platform.HeavyTasks;

/// <summary>
/// Read-only, seekable stream over chunks that are fetched one at a time. Asynchronous reads only. Its buffer is rented, and given back when
/// it is disposed.
/// </summary>
internal sealed class StoredFileStream(long length, Func<int, Memory<byte>, CancellationToken, Task<int>> readChunk) : Stream
{
    private byte[]? chunk;
    private int chunkLength;
    private int chunkNumber = -1;
    private long position;
    private bool reading;
    private bool disposed;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            position = value;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        var number = (int)(position / StoredFile.ChunkLength);
        if (number != chunkNumber)
        {
            await FetchAsync(number, cancellationToken);
        }

        var offset = (int)(position % StoredFile.ChunkLength);
        var count = (int)Math.Min(Math.Min(buffer.Length, chunkLength - offset), length - position);
        chunk.AsMemory(offset, count).CopyTo(buffer);
        position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => position + offset,
            _ => length + offset,
        };

    public override int Read(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A stored file is read asynchronously.");

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;

            // A buffer into which a read still writes must not go to somebody else; it is left to the garbage collector.
            if (chunk is not null && !reading)
            {
                ArrayPool<byte>.Shared.Return(chunk);
                chunk = null;
            }
        }

        base.Dispose(disposing);
    }

    private async Task FetchAsync(int number, CancellationToken cancellationToken)
    {
        chunk ??= ArrayPool<byte>.Shared.Rent(StoredFile.ChunkLength);
        chunkNumber = -1;
        reading = true;
        chunkLength = await readChunk(number, chunk.AsMemory(0, StoredFile.ChunkLength), cancellationToken);
        reading = false;
        chunkNumber = number;
    }
}
