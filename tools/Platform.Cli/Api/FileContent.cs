using System.Net;
using System.Security.Cryptography;

namespace Platform.Cli.Api;

/// <summary>
/// A request body that is read from a stream piece by piece while it is sent, so that memory does not grow with the file. Afterwards it
/// knows the SHA-256 of what it sent.
/// </summary>
internal sealed class FileContent(Stream source, Action<long> sent, InactivityTimeout timeout, TimeSpan idle) : HttpContent
{
    private const int ChunkLength = 128 * 1024;

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>The number of bytes sent.</summary>
    public long Length { get; private set; }

    /// <summary>The hash of everything sent, in hexadecimal. Call it once, after the answer.</summary>
    public string Sha256() => Convert.ToHexStringLower(hash.GetCurrentHash());

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[ChunkLength];
        while (await ReadAsync(buffer, cancellationToken) is > 0 and var count)
        {
            await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            hash.AppendData(buffer, 0, count);
            Length += count;
            timeout.Restart(idle);
            sent(Length);
        }
    }

    /// <summary>Tells the length, if known. A pipe has none and is sent in chunks.</summary>
    protected override bool TryComputeLength(out long length)
    {
        length = source.CanSeek ? source.Length : 0;
        return source.CanSeek;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException e)
        {
            // Otherwise HttpClient would report this as a broken connection.
            throw new UsageException($"The file cannot be read: {e.Message}", e);
        }
    }
}
