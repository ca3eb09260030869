using System.Data.Common;
using Npgsql;
using NpgsqlTypes;

namespace Platform.Persistence;

/// <summary>
/// Copies straight into the table. Once a batch has met an existing user, it copies into a temporary table first, to tell new users from
/// existing ones.
/// </summary>
public sealed partial class UserBulkWriter
{
    private const string Savepoint = "user_bulk_writer";

    private async partial Task<UserBulkWriteResult> WriteSortedAsync(
        DbTransaction transaction,
        IReadOnlyList<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        var own = (NpgsqlTransaction)transaction;
        var connection = own.Connection!;
        if (expectsNewUsersOnly && await TryCopyAsync(connection, own, cancellationToken))
        {
            return new UserBulkWriteResult(rows.Count, 0, null);
        }

        expectsNewUsersOnly = false;
        return await MergeAsync(connection, rows, mode, columns, cancellationToken);
    }

    // The savepoint belongs to the driver, not to the context: a rollback to it undoes nothing that the context saved.
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
            (tenant_id text NOT NULL, external_id text NOT NULL, name text NOT NULL, email text, country text, signed_up_at timestamptz) ON COMMIT DROP
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
            $"INSERT INTO users ({Columns}) SELECT {Columns} FROM incoming_users ON CONFLICT (tenant_id, external_id) DO NOTHING",
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
        var overwritten = Overwritten(columns);
        var assignments = string.Join(", ", overwritten.Select(c => $"{c} = excluded.{c}"));
        var stored = string.Join(", ", overwritten.Select(c => $"users.{c}"));
        var incoming = string.Join(", ", overwritten.Select(c => $"excluded.{c}"));

        // A row version that no transaction has locked or deleted is new. A user who is already as in the file is not written again.
        await using var command = new NpgsqlCommand(
            $"""
            WITH written AS (
                INSERT INTO users ({Columns}) SELECT {Columns} FROM incoming_users
                ON CONFLICT (tenant_id, external_id) DO UPDATE SET {assignments} WHERE ({stored}) IS DISTINCT FROM ({incoming})
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
            $"INSERT INTO users ({Columns}) SELECT {Columns} FROM incoming_users ON CONFLICT (tenant_id, external_id) DO NOTHING RETURNING external_id",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            inserted.Add(reader.GetString(0));
        }

        var firstExisting = FindFirst(rows, id => !inserted.Contains(id));
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
            await importer.WriteAsync(tenantId, NpgsqlDbType.Text, cancellationToken);
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
