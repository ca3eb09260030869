using MySqlConnector;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>Keeps other processes from migrating a database, from before they read what it lacks.</summary>
public static class MigrationLock
{
    // MariaDB does not take a negative number for "as long as it takes".
    private static readonly TimeSpan Limit = TimeSpan.FromDays(3);

    /// <summary>Waits, three days at most, for whoever migrates the database now.</summary>
    /// <returns>Holds the lock until it is disposed.</returns>
    /// <exception cref="TimeoutException">Another process held the lock all that time.</exception>
    public static async Task<IAsyncDisposable> AcquireAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        var connection = new MySqlConnection(
            new MySqlConnectionStringBuilder(connectionString) { Pooling = false, DefaultCommandTimeout = 0 }.ConnectionString
        );
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = new MySqlCommand("SELECT GET_LOCK(@name, @seconds)", connection);
            command.Parameters.AddWithValue("@name", LivenessLock.NameOf(connection.Database, "migrations"));
            command.Parameters.AddWithValue("@seconds", (int)Limit.TotalSeconds);
            return await command.ExecuteScalarAsync(cancellationToken) is 1L or 1
                ? connection
                : throw new TimeoutException($"Another process has been migrating the database for {Limit.TotalDays} days.");
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
