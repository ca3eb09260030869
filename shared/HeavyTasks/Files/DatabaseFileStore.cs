using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>Files as chunk rows of the platform's database.</summary>
internal sealed class DatabaseFileStore(IServiceScopeFactory scopes, TimeProvider time) : IFileStore
{
    /// <inheritdoc />
    public async Task<StoredFile> UploadAsync(
        string name,
        string contentType,
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
            CreatedAt = now,
        };
        await WithContextAsync(db => AddAsync(db, file, cancellationToken));
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var chunk = new byte[StoredFile.ChunkLength];
            for (var number = 0; ; number++)
            {
                var length = await content.ReadAtLeastAsync(chunk, chunk.Length, throwOnEndOfStream: false, cancellationToken);
                if (file.Length + length > maxLength)
                {
                    throw new FileTooLongException(maxLength);
                }

                if (length > 0)
                {
                    hash.AppendData(chunk, 0, length);
                    file.Length += length;
                    var data = length == chunk.Length ? chunk : chunk[..length];
                    await WithContextAsync(db => WriteChunkAsync(db, file.Id, number, data, cancellationToken));
                }

                if (length < chunk.Length)
                {
                    break;
                }
            }

            file.Sha256 = hash.GetHashAndReset();
            file.ClosedAt = time.GetUtcNow().UtcDateTime;
            await WithContextAsync(async db =>
            {
                db.Files.Update(file);
                await db.SaveChangesAsync(cancellationToken);
            });
            return file;
        }
        catch
        {
            await WithContextAsync(db => DeleteAsync(db, file.Id, CancellationToken.None));
            throw;
        }
    }

    /// <inheritdoc />
    public async Task<StoredFile?> FindAsync(Guid fileId, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        return await db.Files.AsNoTracking().SingleOrDefaultAsync(f => f.Id == fileId && f.ClosedAt != null, cancellationToken);
    }

    /// <inheritdoc />
    public Stream OpenRead(StoredFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return new StoredFileStream(file.Length, (number, cancellationToken) => ReadChunkAsync(file.Id, number, cancellationToken));
    }

    /// <summary>Deletes a file and its chunks, chunks first so that a failure leaves a row to try again from.</summary>
    public static async Task DeleteAsync(DbContext db, Guid fileId, CancellationToken cancellationToken)
    {
        await db.FileChunks.Where(c => c.FileId == fileId).ExecuteDeleteAsync(cancellationToken);
        await db.Files.Where(f => f.Id == fileId).ExecuteDeleteAsync(cancellationToken);
    }

    private async Task<byte[]> ReadChunkAsync(Guid fileId, int number, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        return await db
                .FileChunks.Where(c => c.FileId == fileId && c.Number == number)
                .Select(c => c.Data)
                .SingleOrDefaultAsync(cancellationToken)
            ?? throw new FileNotFoundException($"Chunk {number} of file {fileId} is gone: the file was deleted while it was read.");
    }

    // Not through the change tracker, which copies the bytes to compare them later: a quarter of the processor time of an upload.
    private static Task<int> WriteChunkAsync(DbContext db, Guid fileId, int number, byte[] data, CancellationToken cancellationToken) =>
        db.Database.ExecuteSqlAsync(
            $"INSERT INTO stored_file_chunks (file_id, number, data) VALUES ({fileId}, {number}, {data})",
            cancellationToken
        );

    private static Task<int> AddAsync<T>(DbContext db, T row, CancellationToken cancellationToken)
        where T : class
    {
        db.Add(row);
        return db.SaveChangesAsync(cancellationToken);
    }

    private async Task WithContextAsync(Func<DbContext, Task> work)
    {
        await using var scope = scopes.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<EngineContext>().Db);
    }
}
