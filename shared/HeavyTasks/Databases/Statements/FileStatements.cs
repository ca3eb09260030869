using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// Statements about files. Whoever writes a chunk or submits a task that needs a file locks the file's row against its deletion; the lock
/// lasts until the commit.
/// </summary>
internal static class FileStatements
{
    extension(DbContext db)
    {
        /// <summary>Locks an expired file; finds nothing when another transaction has locked it, or needs it to stay.</summary>
        public IQueryable<StoredFile> LockExpired(Guid fileId) =>
            db.Files.FromSqlRaw(Expired(EngineTables.Of(db), Dialect.Current.Now), fileId);
    }

    /// <summary>Parameters: <c>@id</c>, <c>@number</c>.</summary>
    public static string ReadChunk(EngineTables tables) => $"SELECT data FROM {tables.FileChunks} WHERE file_id = @id AND number = @number";

    /// <summary>Parameters: <c>@id</c>, <c>@number</c>, <c>@data</c>.</summary>
    public static string WriteChunkOnMySql(EngineTables tables) =>
        $"""
            INSERT INTO {tables.FileChunks} (file_id, number, data)
            SELECT id, @number, @data FROM {tables.Files} WHERE id = @id AND expires_at > {Clock.MySql} LOCK IN SHARE MODE
            ON DUPLICATE KEY UPDATE data = VALUES(data)
            """;

    /// <summary>Parameters: <c>@id</c>, <c>@number</c>, <c>@data</c>.</summary>
    public static string WriteChunkOnPostgreSql(EngineTables tables) =>
        $"""
            INSERT INTO {tables.FileChunks} (file_id, number, data)
            SELECT id, @number, @data FROM {tables.Files} WHERE id = @id AND expires_at > {Clock.PostgreSql} FOR KEY SHARE
            ON CONFLICT (file_id, number) DO UPDATE SET data = EXCLUDED.data
            """;

    private static string Expired(EngineTables tables, string now) =>
        $$"""
            SELECT * FROM {{tables.Files}} WHERE id = {0} AND expires_at <= {{now}} FOR UPDATE SKIP LOCKED
            """;
}
