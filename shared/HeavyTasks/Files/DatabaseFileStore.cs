using System.Buffers;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>Stores files as rows of chunks in the platform's database, on a share of the pool (<see cref="FileConnections"/>).</summary>
internal sealed partial class DatabaseFileStore(FileConnections connections, TimeProvider time, ILogger<DatabaseFileStore> logger)
    : IFileStore
{
    /// <summary>
    /// How long an upload lives without a sign of life of the process that receives it; then its rows are deleted.
    /// </summary>
    internal static readonly TimeSpan UploadLease = TimeSpan.FromMinutes(5);

    /// <summary>How long a chunk is tried again while no connection can be had or the server is away.</summary>
    internal static readonly TimeSpan ChunkPatience = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan RenewalInterval = TimeSpan.FromMinutes(1);

    // What is not cleaned up within this time is left to the workers, which delete what has expired.
    private static readonly TimeSpan CleanUpPatience = TimeSpan.FromSeconds(5);

    /// <inheritdoc />
    public async Task<StoredFile> UploadAsync(
        string name,
        string contentType,
        string tenantId,
        Stream content,
        long maxLength,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(content);
        var now = time.GetUtcNow().UtcDateTime;
        var file = new StoredFile
        {
            Id = Guid.CreateVersion7(),
            Name = name,
            ContentType = contentType,
            TenantId = tenantId,
            CreatedAt = now,
            ExpiresAt = now + UploadLease,
        };
        var chunk = ArrayPool<byte>.Shared.Rent(StoredFile.ChunkLength);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var renewals = Task.CompletedTask;
        try
        {
            await connections.RunAsync(db => AddAsync(db, file, cancellationToken), TimeSpan.Zero, cancellationToken);
            renewals = RenewAsync(file.Id, ended.Token);
            await WriteAsync(file, content, chunk.AsMemory(0, StoredFile.ChunkLength), maxLength, cancellationToken);
            return file;
        }
        catch
        {
            await CleanUpAsync(file.Id);
            throw;
        }
        finally
        {
            await ended.CancelAsync();
            await renewals;
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    /// <inheritdoc />
    public async Task<StoredFile?> FindAsync(Guid fileId, string tenantId, CancellationToken cancellationToken)
    {
        var file = await connections.RunAsync(
            db => db.Files.AsNoTracking().SingleOrDefaultAsync(f => f.Id == fileId && f.ClosedAt != null, cancellationToken),
            TimeSpan.Zero,
            cancellationToken
        );
        return file is not null && Tenants.MayReach(tenantId, file.TenantId) ? file : null;
    }

    /// <inheritdoc />
    public Stream OpenRead(StoredFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new StoredFileStream(
            file.Length,
            (number, buffer, cancellationToken) => ReadChunkAsync(file.Id, number, buffer, cancellationToken)
        );
    }

    private async Task WriteAsync(StoredFile file, Stream content, Memory<byte> chunk, long maxLength, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var number = 0; ; number++)
        {
            var length = await content.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellationToken);
            if (file.Length + length > maxLength)
            {
                throw new FileTooLongException(maxLength);
            }

            if (length > 0)
            {
                hash.AppendData(chunk.Span[..length]);
                file.Length += length;
                await WriteChunkAsync(file.Id, number, chunk[..length], cancellationToken);
            }

            if (length < chunk.Length)
            {
                break;
            }
        }

        file.Sha256 = hash.GetHashAndReset();
        file.ClosedAt = time.GetUtcNow().UtcDateTime;
        file.ExpiresAt = null;
        await CloseAsync(file, cancellationToken);
    }

    private async Task WriteChunkAsync(Guid fileId, int number, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var written = await connections.RunAsync(
            db => FileChunks.WriteAsync(db, fileId, number, data, cancellationToken),
            ChunkPatience,
            cancellationToken
        );
        if (!written)
        {
            throw new UploadExpiredException();
        }
    }

    private async Task<int> ReadChunkAsync(Guid fileId, int number, Memory<byte> buffer, CancellationToken cancellationToken) =>
        await connections.RunAsync(
            db => FileChunks.ReadAsync(db, fileId, number, buffer, cancellationToken),
            ChunkPatience,
            cancellationToken
        ) ?? throw new FileNotFoundException($"Chunk {number} of file {fileId} is gone: the file was deleted while it was read.");

    // The database's clock decides what has expired.
    private static async Task<int> AddAsync(DbContext db, StoredFile file, CancellationToken cancellationToken)
    {
        db.Add(file);
        await db.SaveChangesAsync(cancellationToken);
        return await RenewAsync(db.Files.Where(f => f.Id == file.Id), cancellationToken);
    }

    private static Task<int> RenewAsync(IQueryable<StoredFile> file, CancellationToken cancellationToken)
    {
        var seconds = UploadLease.TotalSeconds;
        return file.ExecuteUpdateAsync(
            set => set.SetProperty(f => f.ExpiresAt, _ => DatabaseClock.UtcNow().AddSeconds(seconds)),
            cancellationToken
        );
    }

    // By the clock and not by chunks: a slow client may need longer for one chunk than the lease lasts.
    private async Task RenewAsync(Guid fileId, CancellationToken ended)
    {
        try
        {
            using var timer = new PeriodicTimer(RenewalInterval, time);
            while (await timer.WaitForNextTickAsync(ended))
            {
                await RenewOnceAsync(fileId, ended);
            }
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            // The upload has ended.
        }
    }

    private async Task RenewOnceAsync(Guid fileId, CancellationToken ended)
    {
        try
        {
            await connections.RunAsync(
                db => RenewAsync(db.Files.Where(f => f.Id == fileId && f.ExpiresAt > DatabaseClock.UtcNow()), ended),
                RenewalInterval,
                ended
            );
        }
        catch (Exception exception) when (!ended.IsCancellationRequested)
        {
            RenewalFailed(logger, fileId, exception);
        }
    }

    // A repeat after a commit whose answer was lost finds the file closed.
    private async Task CloseAsync(StoredFile file, CancellationToken cancellationToken)
    {
        var closed = await connections.RunAsync(
            db =>
                db.Files.Where(f => f.Id == file.Id && (f.ExpiresAt == null || f.ExpiresAt > DatabaseClock.UtcNow()))
                    .ExecuteUpdateAsync(
                        set =>
                            set.SetProperty(f => f.Length, file.Length)
                                .SetProperty(f => f.Sha256, file.Sha256)
                                .SetProperty(f => f.ClosedAt, file.ClosedAt)
                                .SetProperty(f => f.ExpiresAt, (DateTime?)null),
                        cancellationToken
                    ),
            ChunkPatience,
            cancellationToken
        );
        if (closed == 0)
        {
            throw new UploadExpiredException();
        }
    }

    // Usually this deletes everything at once. It must not fail in place of the upload: what is left expires by itself.
    private async Task CleanUpAsync(Guid fileId)
    {
        try
        {
            await connections.RunAsync(
                async db =>
                {
                    await db
                        .Files.Where(f => f.Id == fileId && f.ExpiresAt != null)
                        .ExecuteUpdateAsync(set => set.SetProperty(f => f.ExpiresAt, _ => DatabaseClock.UtcNow().AddSeconds(-1)));
                    return await FileDeletion.StepAsync(db, fileId, CancellationToken.None);
                },
                CleanUpPatience,
                CancellationToken.None
            );
        }
        catch (Exception exception)
        {
            LeftToTheWorkers(logger, fileId, LoggedText.Of(exception.GetBaseException().Message));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Upload {File} could not tell that it goes on; it tries again in a minute.")]
    private static partial void RenewalFailed(ILogger logger, Guid file, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "What arrived of upload {File}, which broke off, could not be deleted now ({Reason}); the workers delete it within minutes."
    )]
    private static partial void LeftToTheWorkers(ILogger logger, Guid file, string reason);
}

/// <summary>
/// Thrown when an upload could not be written for so long that it has expired (<see cref="DatabaseFileStore.UploadLease"/>).
/// </summary>
internal sealed class UploadExpiredException() : Exception("The upload could not be written for minutes and was given up.");
