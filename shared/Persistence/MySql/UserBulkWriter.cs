using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using MySqlConnector;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>
/// Writes users in bulk, in the open transaction of a context. One per import: it begins by inserting only, by <see cref="UserBulkCopy"/>
/// where that is allowed and otherwise with one INSERT for up to a thousand rows, and once a batch has met an existing user it asks for
/// them first.
/// </summary>
public sealed class UserBulkWriter
{
    private const int MaxRows = 1_000;

    // More often nobody comes between; what fails then is two ids of the file that are one to the database.
    private const int MaxLooks = 10;
    private const string Columns = "external_id, name, email, country, signed_up_at";

    private readonly List<UserRow> sorted = [];
    private bool expectsNewUsersOnly = true;

    // Null until the first batch; false for good once a copy wrote nothing.
    private bool? copies;

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
            db.Database.CurrentTransaction?.GetDbTransaction() as MySqlTransaction
            ?? throw new InvalidOperationException("Users are written in bulk in an open transaction only.");
        sorted.Clear();
        sorted.AddRange(rows);
        sorted.Sort((a, b) => string.CompareOrdinal(a.ExternalId, b.ExternalId));
        copies ??= UserBulkCopy.IsAllowed(transaction.Connection!);
        if (copies.Value && sorted.Count > 0)
        {
            copies = await UserBulkCopy.TryWriteAsync(transaction, sorted, cancellationToken);
            if (copies.Value)
            {
                return new UserBulkWriteResult(rows.Count, 0, null);
            }
        }

        var existing = new HashSet<string>(TrailingSpaces.Ignored);
        for (var start = 0; start < sorted.Count; start += MaxRows)
        {
            var chunk = sorted.GetRange(start, Math.Min(MaxRows, sorted.Count - start));
            existing.UnionWith(await WriteChunkAsync(transaction, chunk, mode, columns, cancellationToken));
        }

        int? firstExisting = null;
        for (var i = 0; mode == ExistingUser.Fail && existing.Count > 0 && firstExisting is null; i++)
        {
            firstExisting = existing.Contains(rows[i].ExternalId) ? i : null;
        }

        return new UserBulkWriteResult(rows.Count - existing.Count, existing.Count, firstExisting);
    }

    /// <summary>Returns the external ids that were there before.</summary>
    private async Task<HashSet<string>> WriteChunkAsync(
        MySqlTransaction transaction,
        List<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    )
    {
        // A statement that fails leaves nothing, and the transaction as it was. Somebody else may insert one of the users between the two
        // statements; the next look waits for them.
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

    private static async Task<HashSet<string>> FindAsync(
        MySqlTransaction transaction,
        List<UserRow> rows,
        CancellationToken cancellationToken
    )
    {
        await using var command = new MySqlCommand(
            $"SELECT external_id FROM users WHERE external_id IN ({string.Join(',', Enumerable.Repeat('?', rows.Count))}) FOR UPDATE",
            transaction.Connection,
            transaction
        );
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

    private static async Task InsertAsync(
        MySqlTransaction transaction,
        List<UserRow> rows,
        string otherwise,
        CancellationToken cancellationToken
    )
    {
        if (rows.Count == 0)
        {
            return;
        }

        var sql = new StringBuilder($"INSERT INTO users ({Columns}) VALUES ");
        sql.AppendJoin(',', Enumerable.Repeat("(?,?,?,?,?)", rows.Count)).Append(otherwise);
        await using var command = new MySqlCommand(sql.ToString(), transaction.Connection, transaction);
        foreach (var row in rows)
        {
            foreach (var value in new object?[] { row.ExternalId, row.Name, row.Email, row.Country, row.SignedUpAt })
            {
                command.Parameters.Add(new MySqlParameter { Value = value });
            }
        }

        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    // The server does not write a row that is already as it should be.
    private static string Overwrite(UserColumns columns)
    {
        List<string> overwritten = ["name"];
        overwritten.AddRange(columns.HasFlag(UserColumns.Email) ? ["email"] : []);
        overwritten.AddRange(columns.HasFlag(UserColumns.Country) ? ["country"] : []);
        overwritten.AddRange(columns.HasFlag(UserColumns.SignedUpAt) ? ["signed_up_at"] : []);
        return $" ON DUPLICATE KEY UPDATE {string.Join(", ", overwritten.Select(c => $"{c} = VALUES({c})"))}";
    }

    /// <summary>Equality as the column's collation has it.</summary>
    private sealed class TrailingSpaces : IEqualityComparer<string>
    {
        public static readonly TrailingSpaces Ignored = new();

        public bool Equals(string? x, string? y) => x.AsSpan().TrimEnd(' ').SequenceEqual(y.AsSpan().TrimEnd(' '));

        public int GetHashCode(string obj) => string.GetHashCode(obj.AsSpan().TrimEnd(' '), StringComparison.Ordinal);
    }
}
