using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// Writes and reads chunks from and into the caller's buffer. Entity Framework would allocate each chunk anew, on the heap of large objects.
/// </summary>
internal static class FileChunks
{
    /// <summary>Writes a chunk of an upload; a repeat of the same is no error.</summary>
    /// <returns>False when the upload has expired: nothing was written.</returns>
    public static async Task<bool> WriteAsync(
        DbContext db,
        Guid fileId,
        int number,
        ReadOnlyMemory<byte> data,
        CancellationToken cancellationToken
    )
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = Command(db, Dialect.Current.WriteChunk(EngineTables.Of(db)), fileId, number);
            Add(command, "data", data);
            return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Reads a chunk into the buffer.</summary>
    /// <returns>The length of the chunk; null when there is none.</returns>
    public static async Task<int?> ReadAsync(
        DbContext db,
        Guid fileId,
        int number,
        Memory<byte> buffer,
        CancellationToken cancellationToken
    )
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = Command(db, FileStatements.ReadChunk(EngineTables.Of(db)), fileId, number);
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellationToken);
            if (!await reader.ReadAsync(cancellationToken))
            {
                return null;
            }

            await using var data = reader.GetStream(0);
            return await data.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private static DbCommand Command(DbContext db, string statement, Guid fileId, int number)
    {
        var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = statement;
        Add(command, "id", fileId);
        Add(command, "number", number);
        return command;
    }

    private static void Add(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}
