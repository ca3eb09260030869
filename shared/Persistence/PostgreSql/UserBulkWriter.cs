using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>
/// Writes users in bulk, in the open transaction of a context. One per import: it begins by copying straight into the table, as fast
/// as the database can, and once a batch has met an existing user it goes by way of a temporary table, which can tell them apart.
/// </summary>
public sealed class UserBulkWriter
{
    private const string Columns = "external_id, name, email, country, signed_up_at";
    private const string Savepoint = "user_bulk_writer";

    private readonly List<UserRow> sorted = [];
    private bool expectsNewUsersOnly = true;

    /// <summary>Writes a batch. It is sorted first, so that two imports that meet the same users lock them in the same order.</summary>
    /// <param name="db">A context with an open transaction. Its change tracker is not used.</param>
    /// <param name="rows">The users, no external id twice.</param>
    /// <param name="mode">
    /// What to do with existing users. <see cref="ExistingUser.Fail"/> writes like Skip and reports the first existing user; the caller rolls back.
    /// </param>
    /// <param name="columns">The columns that <see cref="ExistingUser.Update"/> overwrites beside the name.</param>
    /// <param name="cancellationToken">Ends the write; the transaction must then be rolled back.</param>
    /// <exception cref="InvalidOperationException">The context has no open transaction.</exception>
    public async Task<UserBulkWriteResult> WriteAsync(
        DbContext db,
        IReadOnlyList<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(rows);
        var transaction =
            db.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
            ?? throw new InvalidOperationException("Users are written in bulk in an open transaction only.");
        if (rows.Count == 0)
        {
            return default;
        }

        var connection = transaction.Connection!;
        sorted.Clear();
        sorted.AddRange(rows);
        sorted.Sort((a, b) => string.CompareOrdinal(a.ExternalId, b.ExternalId));
        if (expectsNewUsersOnly && await TryCopyAsync(connection, transaction, cancellationToken))
        {
            return new UserBulkWriteResult(rows.Count, 0, null);
        }

        expectsNewUsersOnly = false;
        return await MergeAsync(connection, rows, mode, columns, cancellationToken);
    }

    // The savepoint is the driver's, not the context's: nothing that the context saved is rolled back with it.
    private async Task<bool> TryCopyAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
    {
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            await CopyAsync(connection, "users", cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            await transaction.RollbackAsync(Savepoint, cancellationToken);
            return false;
        }

        await transaction.ReleaseAsync(Savepoint, cancellationToken);
        return true;
    }

    private async Task<UserBulkWriteResult> MergeAsync(
        NpgsqlConnection connection,
        IReadOnlyList<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        await ExecuteAsync(
            connection,
            """
            CREATE TEMPORARY TABLE incoming_users
            (external_id text NOT NULL, name text NOT NULL, email text, country text, signed_up_at timestamptz) ON COMMIT DROP
            """,
            cancellationToken
        );
        await CopyAsync(connection, "incoming_users", cancellationToken);
        var result = mode switch
        {
            ExistingUser.Skip => await InsertAsync(connection, rows.Count, cancellationToken),
            ExistingUser.Update => await UpsertAsync(connection, rows.Count, columns, cancellationToken),
            _ => await InsertAndReportAsync(connection, rows, cancellationToken),
        };
        await ExecuteAsync(connection, "DROP TABLE incoming_users", cancellationToken);
        return result;
    }

    private static async Task<UserBulkWriteResult> InsertAsync(NpgsqlConnection connection, int count, CancellationToken cancellationToken)
    {
        var inserted = await ExecuteAsync(
            connection,
            $"INSERT INTO users ({Columns}) SELECT {Columns} FROM incoming_users ON CONFLICT (external_id) DO NOTHING",
            cancellationToken
        );
        return new UserBulkWriteResult(inserted, count - inserted, null);
    }

    private static async Task<UserBulkWriteResult> UpsertAsync(
        NpgsqlConnection connection,
        int count,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        List<string> overwritten = ["name"];
        overwritten.AddRange(columns.HasFlag(UserColumns.Email) ? ["email"] : []);
        overwritten.AddRange(columns.HasFlag(UserColumns.Country) ? ["country"] : []);
        overwritten.AddRange(columns.HasFlag(UserColumns.SignedUpAt) ? ["signed_up_at"] : []);
        var assignments = string.Join(", ", overwritten.Select(c => $"{c} = excluded.{c}"));
        var stored = string.Join(", ", overwritten.Select(c => $"users.{c}"));
        var incoming = string.Join(", ", overwritten.Select(c => $"excluded.{c}"));

        // A row version that no transaction has locked or deleted is a new one; a user that is already as in the file is not written again.
        await using var command = new NpgsqlCommand(
            $"""
            WITH written AS (
                INSERT INTO users ({Columns}) SELECT {Columns} FROM incoming_users
                ON CONFLICT (external_id) DO UPDATE SET {assignments} WHERE ({stored}) IS DISTINCT FROM ({incoming})
                RETURNING xmax = 0 AS inserted)
            SELECT count(*) FILTER (WHERE inserted)::int FROM written
            """,
            connection
        );
        var inserted = (int)(await command.ExecuteScalarAsync(cancellationToken))!;
        return new UserBulkWriteResult(inserted, count - inserted, null);
    }

    private static async Task<UserBulkWriteResult> InsertAndReportAsync(
        NpgsqlConnection connection,
        IReadOnlyList<UserRow> rows,
        CancellationToken cancellationToken
    )
    {
        var inserted = new HashSet<string>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(
            $"INSERT INTO users ({Columns}) SELECT {Columns} FROM incoming_users ON CONFLICT (external_id) DO NOTHING RETURNING external_id",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            inserted.Add(reader.GetString(0));
        }

        int? firstExisting = null;
        for (var i = 0; i < rows.Count && firstExisting is null; i++)
        {
            firstExisting = inserted.Contains(rows[i].ExternalId) ? null : i;
        }

        return new UserBulkWriteResult(inserted.Count, rows.Count - inserted.Count, firstExisting);
    }

    private async Task CopyAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var importer = await connection.BeginBinaryImportAsync(
            $"COPY {table} ({Columns}) FROM STDIN (FORMAT binary)",
            cancellationToken
        );
        foreach (var row in sorted)
        {
            await importer.StartRowAsync(cancellationToken);
            await importer.WriteAsync(row.ExternalId, NpgsqlDbType.Text, cancellationToken);
            await importer.WriteAsync(row.Name, NpgsqlDbType.Text, cancellationToken);
            await WriteAsync(importer, row.Email, cancellationToken);
            await WriteAsync(importer, row.Country, cancellationToken);
            if (row.SignedUpAt is { } signedUpAt)
            {
                await importer.WriteAsync(signedUpAt, NpgsqlDbType.TimestampTz, cancellationToken);
            }
            else
            {
                await importer.WriteNullAsync(cancellationToken);
            }
        }

        await importer.CompleteAsync(cancellationToken);
    }

    private static Task WriteAsync(NpgsqlBinaryImporter importer, string? value, CancellationToken cancellationToken) =>
        value is null ? importer.WriteNullAsync(cancellationToken) : importer.WriteAsync(value, NpgsqlDbType.Text, cancellationToken);

    private static async Task<int> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
