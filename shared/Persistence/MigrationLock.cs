using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>
/// Keeps other processes from migrating a database, starting before they read which migrations it lacks. Entity Framework's own lock is not
/// enough: it ends with each migration's transaction, while the list of migrations to apply is read only once.
/// </summary>
public static class MigrationLock
{
    /// <summary>Acquires the lock; waits, for days if need be, while another process migrates the database.</summary>
    /// <returns>An object that holds the lock until it is disposed.</returns>
    /// <exception cref="TimeoutException">Another process held the lock for all that time.</exception>
    public static async Task<IAsyncDisposable> AcquireAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        var connection = Dialect.Current.CreateUnpooledConnection(connectionString, applicationName: null, timeout: null);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await Dialect.Current.LockMigrationsAsync(connection, cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
