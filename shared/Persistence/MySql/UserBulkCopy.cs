using System.Data;
using MySqlConnector;
using Platform.Contracts;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>
/// Copies new users straight into the table with <see cref="MySqlBulkCopy"/>, if both the connection string
/// (<c>AllowLoadLocalInfile=true</c>) and the server (<c>local_infile=ON</c>) allow it. It uses <c>LOAD DATA LOCAL</c>: a server can ask a
/// client that allows this for any file that the process can read, so allow it only with trusted servers.
/// </summary>
internal static class UserBulkCopy
{
    // "Loading local data is disabled" (ER_CLIENT_LOCAL_FILES_DISABLED of MySQL 8, ER_LOAD_INFILE_CAPABILITY_DISABLED of MariaDB).
    private const MySqlErrorCode DisabledOnMySql = (MySqlErrorCode)3948;
    private const MySqlErrorCode DisabledOnMariaDb = (MySqlErrorCode)4166;
    private const string Savepoint = "user_bulk_copy";

    /// <summary>Whether the connection string allows the copy.</summary>
    public static bool IsAllowed(MySqlConnection connection) =>
        new MySqlConnectionStringBuilder(connection.ConnectionString).AllowLoadLocalInfile;

    /// <summary>Writes all of the users, or none.</summary>
    /// <returns>False when nothing was written, because one of the users exists already or the server does not allow the copy.</returns>
    public static async Task<bool> TryWriteAsync(
        MySqlTransaction transaction,
        string tenantId,
        IReadOnlyList<UserRow> rows,
        CancellationToken cancellationToken
    )
    {
        var connection = transaction.Connection!;
        await transaction.SaveAsync(Savepoint, cancellationToken);
        try
        {
            using var table = ToTable(tenantId, rows);
            var copy = new MySqlBulkCopy(connection, transaction)
            {
                DestinationTableName = "users",
                BulkCopyTimeout = (int)new MySqlConnectionStringBuilder(connection.ConnectionString).DefaultCommandTimeout,
            };
            copy.ColumnMappings.AddRange(
                table.Columns.Cast<DataColumn>().Select(c => new MySqlBulkCopyColumnMapping(c.Ordinal, c.ColumnName))
            );
            var result = await copy.WriteToServerAsync(table, cancellationToken);

            // LOAD DATA LOCAL cuts values that are too long and only warns; an INSERT refuses them.
            if (result.Warnings.Count == 0)
            {
                await transaction.ReleaseAsync(Savepoint, cancellationToken);
                return true;
            }
        }
        catch (MySqlException exception) when (exception.ErrorCode is MySqlErrorCode.BulkCopyFailed or DisabledOnMySql or DisabledOnMariaDb)
        {
            // The copy skipped users that exist, or was refused.
        }

        await transaction.RollbackAsync(Savepoint, cancellationToken);
        return false;
    }

    private static DataTable ToTable(string tenantId, IReadOnlyList<UserRow> rows)
    {
        var table = new DataTable();
        foreach (var name in new[] { "tenant_id", "external_id", "name", "email", "country" })
        {
            table.Columns.Add(name, typeof(string));
        }

        table.Columns.Add("signed_up_at", typeof(DateTime));
        foreach (var row in rows)
        {
            table.Rows.Add(tenantId, row.ExternalId, row.Name, row.Email, row.Country, row.SignedUpAt);
        }

        return table;
    }
}
