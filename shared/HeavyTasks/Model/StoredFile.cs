namespace Platform.HeavyTasks;

/// <summary>
/// A file kept in the database as rows of <see cref="ChunkLength"/> bytes, so that a slow client or a large file never holds a
/// connection and every worker on every machine sees it.
/// </summary>
public class StoredFile
{
    /// <summary>Bytes in every chunk but the last: 256 KiB. A byte at offset n stands in chunk floor(n / 256 KiB).</summary>
    public const int ChunkLength = 256 * 1024;

    /// <summary>Version 7 UUID.</summary>
    public Guid Id { get; init; }

    /// <summary>File name for downloads, without a path.</summary>
    public string Name { get; init; } = "";

    /// <summary>Media type.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>The task whose result it is; null for an upload.</summary>
    public Guid? TaskId { get; init; }

    /// <summary>Bytes that count: of a closed file its length; of an open file of a task the length at the last checkpoint.</summary>
    public long Length { get; set; }

    /// <summary>SHA-256 of the content; null until the file is closed.</summary>
    public byte[]? Sha256 { get; set; }

    /// <summary>When it was begun (UTC).</summary>
    public DateTime CreatedAt { get; init; }

    /// <summary>When it was closed (UTC); only a closed file can be read by others.</summary>
    public DateTime? ClosedAt { get; set; }
}

/// <summary>One chunk of a <see cref="StoredFile"/>.</summary>
public class StoredFileChunk
{
    /// <summary>The file.</summary>
    public Guid FileId { get; init; }

    /// <summary>0 for the first.</summary>
    public int Number { get; init; }

    /// <summary>At most <see cref="StoredFile.ChunkLength"/> bytes.</summary>
    public byte[] Data { get; set; } = [];
}
