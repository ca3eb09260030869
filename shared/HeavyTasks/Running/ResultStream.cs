namespace Platform.HeavyTasks;

/// <summary>
/// The result file as a stream, for libraries that write to nothing else. What a library still buffers cannot be seen from here, so the
/// file is written in one piece: anew by each attempt, without a checkpoint in between, and to the end, which is when it is disposed.
/// </summary>
internal sealed class ResultStream(AttemptResultFile file) : Stream
{
    private const string AppendOnly = "A result file is only appended to.";

    public bool IsDisposed { get; private set; }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !IsDisposed;

    public override long Length => file.Length;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException(AppendOnly);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        await file.WriteAsync(source, cancellationToken);
    }

    public override Task WriteAsync(byte[] source, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(source.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Write(byte[] buffer, int offset, int count) =>
        throw new NotSupportedException("A result file is written asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException(AppendOnly);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(AppendOnly);

    public override void SetLength(long value) => throw new NotSupportedException(AppendOnly);

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
