using MySqlConnector;

namespace Platform.Persistence;

/// <summary>
/// What each session is told when it is new, and again when the pool has reset it: READ COMMITTED also for statements outside a
/// transaction, because the default isolation locks the gaps between rows, and writers of different tasks then wait for each other or
/// deadlock; and, where the server knows how (MariaDB), how long a transaction may stand idle.
/// </summary>
internal static class SessionSettings
{
    public static async ValueTask ApplyAsync(MySqlConnectionOpenedContext context, DatabaseOptions options, CancellationToken cancellationToken)
    {
        if (context.Conditions == MySqlConnectionOpenedConditions.None)
        {
            return;
        }

        await using var command = context.Connection.CreateCommand();
        command.CommandText = context.Connection.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase)
            ? $"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION idle_transaction_timeout = {(int)options.IdleInTransactionTimeout.TotalSeconds}"
            : "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
