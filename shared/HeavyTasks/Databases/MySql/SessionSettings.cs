using MySqlConnector;

namespace Platform.HeavyTasks;

/// <summary>
/// Sets up each session when it is new, and again when the pool has reset it. First, READ COMMITTED also for statements outside a
/// transaction: the default isolation locks the gaps between rows, so that writers of different tasks wait for each other or deadlock.
/// Second, where the server supports it (MariaDB), how long a transaction may stay idle.
/// </summary>
/// <remarks>
/// If the server has these settings as its own defaults, a session needs none, because a reset restores the server's defaults. Each use of
/// a connection then costs one round trip less. The server's defaults are checked once a minute.
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
