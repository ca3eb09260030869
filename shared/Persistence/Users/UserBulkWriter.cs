using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace Platform.Persistence;

/// <summary>
/// Writes users in bulk, in the open transaction of a context. Use one writer per import: it begins by only inserting, which is fastest,
/// and once a batch has met an existing user it looks which users exist. Each database's folder contains its implementation.
/// </summary>
/// <param name="tenantId">The tenant of the users; empty for none. Users of other tenants are neither met nor changed.</param>
public sealed partial class UserBulkWriter(string tenantId = "")
{
    private const string Columns = "tenant_id, external_id, name, email, country, signed_up_at";

    private readonly List<UserRow> sorted = [];
    private bool expectsNewUsersOnly = true;

    /// <summary>Writes a batch. The batch is sorted first, so that two imports with the same users lock them in the same order.</summary>
    /// <param name="db">A context with an open transaction. Its change tracker is not used.</param>
    /// <param name="rows">The users; no external id may appear twice.</param>
    /// <param name="mode">
    /// What to do with existing users. <see cref="ExistingUser.Fail"/> writes like Skip and reports the first existing user; the caller
    /// must then roll back.
    /// </param>
    /// <param name="columns">The columns that <see cref="ExistingUser.Update"/> overwrites besides the name.</param>
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
            db.Database.CurrentTransaction?.GetDbTransaction()
            ?? throw new InvalidOperationException("Users are written in bulk in an open transaction only.");
        if (rows.Count == 0)
        {
            return default;
        }

        sorted.Clear();
        sorted.AddRange(rows);
        sorted.Sort((a, b) => string.CompareOrdinal(a.ExternalId, b.ExternalId));
        return await WriteSortedAsync(transaction, rows, mode, columns, cancellationToken);
    }

    /// <summary>Writes the <see cref="sorted"/> rows; the rows in their original order tell which existing user comes first.</summary>
    private partial Task<UserBulkWriteResult> WriteSortedAsync(
        DbTransaction transaction,
        IReadOnlyList<UserRow> rows,
        ExistingUser mode,
        UserColumns columns,
        CancellationToken cancellationToken
    );

    private static List<string> Overwritten(UserColumns columns) =>
        [
            "name",
            .. columns.HasFlag(UserColumns.Email) ? ["email"] : Array.Empty<string>(),
            .. columns.HasFlag(UserColumns.Country) ? ["country"] : Array.Empty<string>(),
            .. columns.HasFlag(UserColumns.SignedUpAt) ? ["signed_up_at"] : Array.Empty<string>(),
        ];

    private static int? FindFirst(IReadOnlyList<UserRow> rows, Func<string, bool> exists)
    {
        for (var i = 0; i < rows.Count; i++)
        {
            if (exists(rows[i].ExternalId))
            {
                return i;
            }
        }

        return null;
    }
}
