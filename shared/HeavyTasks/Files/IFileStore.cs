namespace Platform.HeavyTasks;

/// <summary>
/// Stores uploads and results. It reads and writes chunk by chunk (<see cref="StoredFile.ChunkLength"/>), each on a short connection of its
/// own, so a slow client holds none. An implementation on object storage can replace it.
/// </summary>
public interface IFileStore
{
    /// <summary>Stores an upload.</summary>
    /// <param name="name">The file name for downloads.</param>
    /// <param name="contentType">The media type.</param>
    /// <param name="tenantId">The tenant to which the file belongs; empty for none.</param>
    /// <param name="content">The content; read to its end.</param>
    /// <param name="maxLength">The most bytes that an upload may have.</param>
    /// <param name="cancellationToken">Ends the upload; the part that was stored is deleted.</param>
    /// <returns>The closed file.</returns>
    /// <exception cref="FileTooLongException">The content is longer than <paramref name="maxLength"/>; nothing is kept.</exception>
    Task<StoredFile> UploadAsync(
        string name,
        string contentType,
        string tenantId,
        Stream content,
        long maxLength,
        CancellationToken cancellationToken
    );

    /// <summary>Finds a closed file.</summary>
    /// <param name="fileId">The id of the file.</param>
    /// <param name="tenantId">The tenant on whose behalf the file is read; empty to find the file of any tenant.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The file; null when there is none, or when it is not one of this tenant.</returns>
    Task<StoredFile?> FindAsync(Guid fileId, string tenantId, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a seekable stream over a closed file. The stream reads one chunk ahead and holds no connection between reads.
    /// </summary>
    Stream OpenRead(StoredFile file);
}

/// <summary>Thrown when an upload is longer than allowed.</summary>
public sealed class FileTooLongException(long maxLength) : Exception($"The file is longer than {maxLength:N0} bytes.")
{
    /// <summary>The number of bytes allowed.</summary>
    public long MaxLength { get; } = maxLength;
}
