namespace Platform.HeavyTasks;

/// <summary>Read-only, seekable stream over chunks that are fetched one at a time. Asynchronous reads only.</summary>
internal sealed class StoredFileStream(long length, Func<int, CancellationToken, Task<byte[]>> readChunk) : Stream
{
    private byte[] chunk = [];
    private int chunkNumber = -1;
    private long position;

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
        if (position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        var number = (int)(position / StoredFile.ChunkLength);
        if (number != chunkNumber)
        {
            chunk = await readChunk(number, cancellationToken);
            chunkNumber = number;
        }

        var offset = (int)(position % StoredFile.ChunkLength);
        var count = (int)Math.Min(Math.Min(buffer.Length, chunk.Length - offset), length - position);
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
}
