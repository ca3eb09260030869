using MySqlConnector;

namespace Platform.HeavyTasks;

/// <summary>
/// What each session is told when it is new, and again when the pool has reset it: READ COMMITTED also for statements outside a
/// transaction, because the default isolation locks the gaps between rows, and writers of different tasks then wait for each other or
/// deadlock; and, where the server knows how (MariaDB), how long a transaction may stand idle.
/// </summary>
/// <remarks>
/// A server that has these as its own defaults is asked for them once a minute instead: a reset leaves the session with the server's, so
/// there is nothing to tell, and each use of a connection costs one round trip less.
/// </remarks>
internal sealed class SessionSettings(DatabaseOptions options, TimeProvider time)
{
    private static readonly TimeSpan Known = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private long? agreedAt;

    public async ValueTask ApplyAsync(MySqlConnectionOpenedContext context, CancellationToken cancellationToken)
    {
        if (
            context.Conditions == MySqlConnectionOpenedConditions.None
            || context.Conditions == MySqlConnectionOpenedConditions.Reset && ServerAgrees()
        )
        {
            return;
        }

        var idle = (int)options.IdleInTransactionTimeout.TotalSeconds;
        await using var command = context.Connection.CreateCommand();
        command.CommandText = context.Connection.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase)
            ? $"""
                SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; SET SESSION idle_transaction_timeout = {idle};
                SELECT @@GLOBAL.tx_isolation = 'READ-COMMITTED' AND @@GLOBAL.idle_transaction_timeout = {idle}
                """
            : """
                SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
                SELECT @@GLOBAL.transaction_isolation = 'READ-COMMITTED'
                """;
        var agrees = Convert.ToBoolean(
            await command.ExecuteScalarAsync(cancellationToken),
            System.Globalization.CultureInfo.InvariantCulture
        );
        SetAgreed(agrees ? time.GetTimestamp() : null);
    }

    private bool ServerAgrees()
    {
        lock (gate)
        {
            return agreedAt is { } at && time.GetElapsedTime(at) < Known;
        }
    }

    private void SetAgreed(long? at)
    {
        lock (gate)
        {
            agreedAt = at;
        }
    }
}
