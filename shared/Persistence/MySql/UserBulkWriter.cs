using System.Data.Common;
using System.Text;
using MySqlConnector;

namespace Platform.Persistence;

/// <summary>
/// Writes by <see cref="UserBulkCopy"/> where that is allowed, and otherwise with one INSERT for up to a thousand rows. Once a batch has
/// met an existing user, it looks for existing users before it writes.
/// </summary>
public sealed partial class UserBulkWriter
{
    private const int MaxRows = 1_000;

    // Others do not interfere more often than this. If it still fails, the file has two ids that are equal to the database.
    private const int MaxLooks = 10;

    // Null until the first batch; false for the rest of the import after a copy that wrote nothing.
    private bool? copies;

    private async partial Task<UserBulkWriteResult> WriteSortedAsync(
        DbTransaction transaction,
        IReadOnlyList<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        var own = (MySqlTransaction)transaction;
        copies ??= UserBulkCopy.IsAllowed(own.Connection!);
        if (copies.Value)
        {
            copies = await UserBulkCopy.TryWriteAsync(own, tenantId, sorted, cancellationToken);
            if (copies.Value)
            {
                return new UserBulkWriteResult(rows.Count, 0, null);
            }
        }

        var existing = new HashSet<string>(TrailingSpaces.Ignored);
        for (var start = 0; start < sorted.Count; start += MaxRows)
        {
            var chunk = sorted.GetRange(start, Math.Min(MaxRows, sorted.Count - start));
            existing.UnionWith(await WriteChunkAsync(own, chunk, mode, columns, cancellationToken));
        }

        var firstExisting = mode == ExistingUser.Fail ? FindFirst(rows, existing.Contains) : null;
        return new UserBulkWriteResult(rows.Count - existing.Count, existing.Count, firstExisting);
    }

    /// <summary>Writes the rows and returns the external ids that existed before.</summary>
    private async Task<HashSet<string>> WriteChunkAsync(
        MySqlTransaction transaction,
        List<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        // A statement that fails writes nothing and leaves the transaction as it was. Another transaction may insert one of the users
        // between the two statements; the next look waits for it.
        for (var look = 0; ; look++)
        {
            var existing = expectsNewUsersOnly
                ? new HashSet<string>(TrailingSpaces.Ignored)
                : await FindAsync(transaction, rows, cancellationToken);
            try
            {
                await InsertAsync(transaction, [.. rows.Where(r => !existing.Contains(r.ExternalId))], "", cancellationToken);
            }
            catch (MySqlException exception) when (exception.ErrorCode == MySqlErrorCode.DuplicateKeyEntry && look < MaxLooks)
            {
                expectsNewUsersOnly = false;
                continue;
            }

            if (mode == ExistingUser.Update)
            {
                await InsertAsync(
                    transaction,
                    [.. rows.Where(r => existing.Contains(r.ExternalId))],
                    Overwrite(columns),
                    cancellationToken
                );
            }

            return existing;
        }
    }

    private async Task<HashSet<string>> FindAsync(MySqlTransaction transaction, List<UserRow> rows, CancellationToken cancellationToken)
    {
        await using var command = new MySqlCommand(
            $"SELECT external_id FROM users WHERE tenant_id = ? AND external_id IN ({string.Join(',', Enumerable.Repeat('?', rows.Count))}) FOR UPDATE",
            transaction.Connection,
            transaction
        );
        command.Parameters.Add(new MySqlParameter { Value = tenantId });
        foreach (var row in rows)
        {
            command.Parameters.Add(new MySqlParameter { Value = row.ExternalId });
        }

        var found = new HashSet<string>(TrailingSpaces.Ignored);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found.Add(reader.GetString(0));
        }

        return found;
    }

    private async Task InsertAsync(MySqlTransaction transaction, List<UserRow> rows, string otherwise, CancellationToken cancellationToken)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var sql = new StringBuilder($"INSERT INTO users ({Columns}) VALUES ");
        sql.AppendJoin(',', Enumerable.Repeat("(?,?,?,?,?,?)", rows.Count)).Append(otherwise);
        await using var command = new MySqlCommand(sql.ToString(), transaction.Connection, transaction);
        foreach (var row in rows)
        {
            foreach (var value in new object?[] { tenantId, row.ExternalId, row.Name, row.Email, row.Country, row.SignedUpAt })
            {
                command.Parameters.Add(new MySqlParameter { Value = value });
            }
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // The server does not write a row that already has these values.
    private static string Overwrite(UserColumns columns) =>
        $" ON DUPLICATE KEY UPDATE {string.Join(", ", Overwritten(columns).Select(c => $"{c} = VALUES({c})"))}";

    /// <summary>Compares external ids as the column's collation does.</summary>
    private sealed class TrailingSpaces : IEqualityComparer<string>
    {
        public static readonly TrailingSpaces Ignored = new();

        public bool Equals(string? x, string? y) => x.AsSpan().TrimEnd(' ').SequenceEqual(y.AsSpan().TrimEnd(' '));

        public int GetHashCode(string obj) => string.GetHashCode(obj.AsSpan().TrimEnd(' '), StringComparison.Ordinal);
    }
}
