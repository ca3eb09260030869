namespace Platform.HeavyTasks;

/// <summary>
/// Where uploads and results live. Reads and writes go chunk by chunk (<see cref="StoredFile.ChunkLength"/>), each on its own short
/// connection, so nothing is held while a client is slow. Object storage can replace it.
/// </summary>
public interface IFileStore
{
    /// <summary>Stores an upload.</summary>
    /// <param name="name">File name for downloads.</param>
    /// <param name="contentType">Media type.</param>
    /// <param name="content">Read to its end.</param>
    /// <param name="maxLength">Bytes after which the upload is refused.</param>
    /// <param name="cancellationToken">Ends the upload; what was stored of it is deleted.</param>
    /// <returns>The closed file.</returns>
    /// <exception cref="FileTooLongException">The content is longer than <paramref name="maxLength"/>; nothing is kept.</exception>
    Task<StoredFile> UploadAsync(string name, string contentType, Stream content, long maxLength, CancellationToken cancellationToken);

    /// <summary>A closed file, or null.</summary>
    Task<StoredFile?> FindAsync(Guid fileId, CancellationToken cancellationToken);

    /// <summary>A seekable stream over a closed file. Reads ahead one chunk and holds no connection between reads.</summary>
    Stream OpenRead(StoredFile file);
}

/// <summary>Thrown when an upload is longer than allowed.</summary>
public sealed class FileTooLongException(long maxLength) : Exception($"The file is longer than {maxLength:N0} bytes.")
{
    /// <summary>Bytes allowed.</summary>
    public long MaxLength { get; } = maxLength;
}
