using Npgsql;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>
/// Keeps other processes from migrating a database. Entity Framework's own lock is not enough: it ends with each migration's transaction,
/// while the list of what to apply is read once.
/// </summary>
public static class MigrationLock
{
    /// <summary>Waits, as long as it takes, for whoever migrates the database now.</summary>
    /// <returns>Holds the lock until it is disposed.</returns>
    public static async Task<IAsyncDisposable> AcquireAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        // A transaction's lock, not a session's: it holds through a pooler that lends connections for a transaction, too.
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString
        );
        try
        {
            await connection.OpenAsync(cancellationToken);
            await connection.BeginTransactionAsync(cancellationToken);
            await using var command = connection.CreateCommand();
            command.CommandText =
                "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(hashtextextended('platform migrations', 0))";
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
