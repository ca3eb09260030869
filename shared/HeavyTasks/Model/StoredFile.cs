namespace Platform.HeavyTasks;

/// <summary>
/// A file kept in the database in chunks of <see cref="ChunkLength"/> bytes, so that a slow client or a large file never holds a
/// connection, and every worker on every machine sees the file.
/// </summary>
public class StoredFile
{
    /// <summary>The number of bytes in every chunk but the last: 256 KiB. The byte at offset n is in chunk floor(n / 256 KiB).</summary>
    public const int ChunkLength = 256 * 1024;

    /// <summary>Version 7 UUID.</summary>
    public Guid Id { get; init; }

    /// <summary>File name for downloads, without a path.</summary>
    public string Name { get; init; } = "";

    /// <summary>Media type.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>
    /// The tenant that uploaded the file, or whose task has it as its result, and alone sees it; empty when it belongs to no tenant.
    /// </summary>
    public string TenantId { get; init; } = "";

    /// <summary>The task whose result this file is; null for an upload.</summary>
    public Guid? TaskId { get; init; }

    /// <summary>The number of bytes that count: the length of a closed file, or of a task's open file at the last checkpoint.</summary>
    public long Length { get; set; }

    /// <summary>SHA-256 of the content; null until the file is closed.</summary>
    public byte[]? Sha256 { get; set; }

    /// <summary>When the file was begun (UTC).</summary>
    public DateTime CreatedAt { get; init; }

    /// <summary>When the file was closed (UTC); others can read only a closed file.</summary>
    public DateTime? ClosedAt { get; set; }

    /// <summary>
    /// When the file may be deleted (UTC, the database's clock), unless a task needs it then. Null: not before somebody says so. An upload
    /// under way has a time in the future, which it moves on for as long as it lives.
    /// </summary>
    internal DateTime? ExpiresAt { get; set; }
}

/// <summary>One chunk of a <see cref="StoredFile"/>.</summary>
public class StoredFileChunk
{
    /// <summary>The file.</summary>
    public Guid FileId { get; init; }

    /// <summary>The number of the chunk; 0 for the first.</summary>
    public int Number { get; init; }

    /// <summary>The content of the chunk, at most <see cref="StoredFile.ChunkLength"/> bytes.</summary>
    public byte[] Data { get; set; } = [];
}
